/** First pause between two looks for a Host, and the longest, in milliseconds. */
const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 5_000

/** How long a Consumer waits for a Host, in rounds. */
export class Patience {
  readonly #until: number
  readonly #signal: AbortSignal
  #pauseMs = FIRST_PAUSE_MS

  /** `signal` aborts when the Consumer is gone. */
  constructor(waitMs: number, signal: AbortSignal) {
    this.#until = Date.now() + waitMs
    this.#signal = signal
  }

  /** Pauses before the next round. False, at once, if there is to be none. */
  async pause(): Promise<boolean> {
    const left = this.#until - Date.now()
    if (left <= 0 || this.#signal.aborted) return false
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, Math.min(this.#pauseMs, left))
    const leave = (): void => resolve()
    this.#signal.addEventListener('abort', leave)
    await promise
    clearTimeout(timer)
    this.#signal.removeEventListener('abort', leave)
    this.#pauseMs = Math.min(this.#pauseMs * 1.5, LONGEST_PAUSE_MS)
    return !this.#signal.aborted
  }
}
