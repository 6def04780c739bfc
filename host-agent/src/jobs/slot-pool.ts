/** Gives a slot back. Calling it again does nothing. */
export type ReleaseSlot = () => void

/** Why no slot was given: the queue is full, or the waiting was ended. */
export type SlotDenial = 'busy' | 'ended'

interface Waiting {
  readonly first: boolean
  readonly give: (result: ReleaseSlot | SlotDenial) => void
}

/**
 * The jobs that may run at once, over all models and Orcs. Who finds no slot waits in line, up to `queue`; who goes first
 * waits only behind others that do.
 */
export class SlotPool {
  readonly queue: number
  readonly #most: number
  readonly #waiting: Waiting[] = []
  readonly #listeners = new Set<() => void>()
  #total: number
  #used = 0

  constructor(total: number, queue: number) {
    this.#most = total
    this.#total = total
    this.queue = queue
  }

  get total(): number {
    return this.#total
  }

  get free(): number {
    return Math.max(0, this.#total - this.#used)
  }

  /** Jobs in line. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** Lets at most `count` jobs run at once from now on, never more than the pool was made for; null for all. What runs goes on. */
  limit(count: number | null): void {
    const total = Math.max(1, Math.min(count ?? this.#most, this.#most))
    if (total === this.#total) return
    this.#total = total
    while (this.free > 0 && this.#waiting.length > 0) this.#waiting.shift()?.give(this.#take())
    this.#changed()
  }

  /** Calls `listener` when `free` changes; returns the function that stops it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** True if `acquire` would be answered `busy`. */
  get full(): boolean {
    return this.free === 0 && this.#waiting.length >= this.queue
  }

  /** A slot at once or after its turn. Aborting the signal ends the waiting. `first` goes before those who did not say so. */
  acquire(signal: AbortSignal, first = false): Promise<ReleaseSlot | SlotDenial> {
    if (signal.aborted) return Promise.resolve('ended')
    if (this.free > 0) return Promise.resolve(this.#take())
    if (this.#waiting.length >= this.queue) return Promise.resolve('busy')
    return new Promise((resolve) => {
      const waiting: Waiting = {
        first,
        give: (result) => {
          signal.removeEventListener('abort', onAbort)
          resolve(result)
        },
      }
      const onAbort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
        waiting.give('ended')
      }
      signal.addEventListener('abort', onAbort, { once: true })
      const behind = first ? this.#waiting.findIndex((other) => !other.first) : -1
      this.#waiting.splice(behind === -1 ? this.#waiting.length : behind, 0, waiting)
    })
  }

  #take(): ReleaseSlot {
    this.#used++
    this.#changed()
    let held = true
    return () => {
      if (!held) return
      held = false
      this.#used--
      const next = this.free > 0 ? this.#waiting.shift() : undefined
      if (next !== undefined) next.give(this.#take())
      else this.#changed()
    }
  }

  #changed(): void {
    for (const listener of this.#listeners) listener()
  }
}
