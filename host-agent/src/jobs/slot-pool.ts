/** Gives a slot back. Calling it again does nothing. */
export type ReleaseSlot = () => void

/** Why no slot was given: the queue is full, or the waiting was ended. */
export type SlotDenial = 'busy' | 'ended'

interface Waiting {
  readonly give: (result: ReleaseSlot | SlotDenial) => void
}

/** The slots of one engine, shared by every Orc connection. Who finds none waits in line, up to `queue`. */
export class SlotPool {
  readonly total: number
  readonly queue: number
  readonly #waiting: Waiting[] = []
  readonly #listeners = new Set<() => void>()
  #used = 0

  constructor(total: number, queue: number) {
    this.total = total
    this.queue = queue
  }

  get free(): number {
    return this.total - this.#used
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

  /** A slot at once or after its turn. Aborting the signal ends the waiting. */
  acquire(signal: AbortSignal): Promise<ReleaseSlot | SlotDenial> {
    if (signal.aborted) return Promise.resolve('ended')
    if (this.free > 0) return Promise.resolve(this.#take())
    if (this.#waiting.length >= this.queue) return Promise.resolve('busy')
    return new Promise((resolve) => {
      const waiting: Waiting = {
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
      this.#waiting.push(waiting)
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
      const next = this.#waiting.shift()
      if (next !== undefined) next.give(this.#take())
      else this.#changed()
    }
  }

  #changed(): void {
    for (const listener of this.#listeners) listener()
  }
}
