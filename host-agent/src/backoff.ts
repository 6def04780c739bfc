/** Range of the waits between two attempts. */
export const BACKOFF_BASE_MS = 500
export const BACKOFF_CAP_MS = 30_000

/** Full-jitter exponential backoff: each wait is random between 0 and a bound that doubles from 0.5 s to 30 s. */
export class Backoff {
  readonly #random: () => number
  #attempts = 0

  constructor(random: () => number = Math.random) {
    this.#random = random
  }

  /** Milliseconds to wait before the next attempt. */
  next(): number {
    const bound = Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** this.#attempts)
    this.#attempts++
    return Math.round(this.#random() * bound)
  }

  /** The next wait is short again. */
  reset(): void {
    this.#attempts = 0
  }
}
