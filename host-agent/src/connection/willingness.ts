/** Whether this Host takes new jobs from one Orc. Its owner can pause or drain it; the agent drains it before it stops. */
export class Willingness {
  readonly #listeners = new Set<() => void>()
  #paused: boolean
  #draining = false
  #stopping = false

  constructor(paused: boolean) {
    this.#paused = paused
  }

  get accepting(): boolean {
    return !this.#paused && !this.#draining && !this.#stopping
  }

  get paused(): boolean {
    return this.#paused
  }

  /** Calls `listener` after every change; returns the function that stops it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
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
