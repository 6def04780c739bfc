import type { IdleReason } from '@daisi/protocol'
import type { OwnerWishes } from '../policy/owner-wishes.ts'

/**
 * Whether this Host takes new jobs from one Orc. Its owner can pause or drain it there, and decides on this machine for all
 * Orcs; the agent drains it before it stops.
 */
export class Willingness {
  readonly #owner: OwnerWishes
  readonly #listeners = new Set<() => void>()
  #paused: boolean
  #draining = false
  #stopping = false

  constructor(paused: boolean, owner: OwnerWishes) {
    this.#paused = paused
    this.#owner = owner
  }

  get accepting(): boolean {
    return this.reason === undefined
  }

  /** Why no jobs are taken; undefined while they are. */
  get reason(): IdleReason | undefined {
    if (this.#stopping) return 'stopping'
    if (this.#draining) return 'draining'
    return this.#paused ? 'paused' : this.#owner.reason
  }

  /** True if this Orc was told to pause it. */
  get paused(): boolean {
    return this.#paused
  }

  /** Calls `listener` after every change; returns the function that stops it. */
  onChange(listener: () => void): () => void {
    const stop = this.#owner.onChange(listener)
    this.#listeners.add(listener)
    return () => {
      stop()
      this.#listeners.delete(listener)
    }
  }

  pause(): void {
    this.#paused = true
    this.#changed()
  }

  drain(): void {
    this.#draining = true
    this.#changed()
  }

  resume(): void {
    this.#paused = false
    this.#draining = false
    this.#changed()
  }

  /** The agent ends: no `resume` undoes this. */
  stop(): void {
    this.#stopping = true
    this.#changed()
  }

  #changed(): void {
    for (const listener of this.#listeners) listener()
  }
}
