/** Longest that the Orc holds the credits of a grant: five minutes of its token and 15 in which the Host may report (rule D8). */
const HELD_MS = 20 * 60_000
/** Grants that brought no answer, or a failure after it, whose credits may be held at once. */
const MOST_FRUITLESS = 3
/** The wait between grants of which none brought an answer doubles from this to that. */
const FIRST_WAIT_MS = 10_000
const MOST_WAIT_MS = 300_000

/**
 * When a further grant may be asked for. Each makes the Orc hold credits for all that its token covers, so that Hosts which do not
 * answer, or lie about their tokens, would hold all that a Consumer has. Pure: milliseconds go in.
 */
export class GrantLimit {
  /** When their credits come back. */
  readonly #fruitless = new Map<object, number>()
  #waitMs = 0
  #notBeforeMs = 0

  /** A grant came. It is fruitless until it brings an answer. The first other one may follow at once: it may lead to another Host. */
  granted(grant: object, nowMs: number): void {
    this.failed(grant, nowMs)
    this.#notBeforeMs = nowMs + this.#waitMs
    this.#waitMs = Math.min(this.#waitMs * 2 || FIRST_WAIT_MS, MOST_WAIT_MS)
  }

  answered(grant: object): void {
    this.#fruitless.delete(grant)
    this.#waitMs = this.#notBeforeMs = 0
  }

  failed(grant: object, nowMs: number): void {
    this.#fruitless.set(grant, nowMs + HELD_MS)
  }

  mayAsk(nowMs: number): boolean {
    for (const [grant, untilMs] of this.#fruitless) if (untilMs <= nowMs) this.#fruitless.delete(grant)
    return nowMs >= this.#notBeforeMs && this.#fruitless.size < MOST_FRUITLESS
  }
}
