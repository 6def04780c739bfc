import type { Clock } from '../clock.ts'

/** An Orc's clock. Tokens, proofs and receipts are dated by it, so that a wrong one on this machine keeps nobody from working. */
export class OrcClock implements Clock {
  readonly #own: Clock
  readonly #skewMs: () => number

  /** `skewMs` says how far the Orc's clock is ahead of `own`. */
  constructor(own: Clock, skewMs: () => number) {
    this.#own = own
    this.#skewMs = skewMs
  }

  now(): number {
    return this.#own.now() + this.#skewMs()
  }

  after(delayMs: number, callback: () => void): () => void {
    return this.#own.after(delayMs, callback)
  }
}
