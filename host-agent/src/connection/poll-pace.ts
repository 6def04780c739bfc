/** Seconds between two polls if the Orc names none (RFC 8628 §3.5). */
const DEFAULT_INTERVAL_SECONDS = 5

/** Seconds that each `slow_down` adds (RFC 8628 §3.5). */
const SLOW_DOWN_SECONDS = 5

/** Polls that fail are at most this far apart, unless the Orc asks for more. */
const LONGEST_BACKOFF_SECONDS = 60

/** How long to wait before the next poll of a device grant. */
export class PollPace {
  #intervalSeconds: number
  #failures = 0

  constructor(intervalSeconds: number | undefined) {
    this.#intervalSeconds = intervalSeconds ?? DEFAULT_INTERVAL_SECONDS
  }

  get waitMs(): number {
    const interval = this.#intervalSeconds
    const longest = Math.max(interval, LONGEST_BACKOFF_SECONDS)
    return Math.min(interval * 2 ** this.#failures, longest) * 1000
  }

  /** The Orc answered: its interval counts again. */
  answered(): void {
    this.#failures = 0
  }

  /** Five seconds more, for this and every further poll. */
  slowDown(): void {
    this.#failures = 0
    this.#intervalSeconds += SLOW_DOWN_SECONDS
  }

  /** No answer came: each time in a row doubles the wait. */
  failed(): void {
    this.#failures++
  }
}
