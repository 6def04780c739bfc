import type { PermitAnswer } from '../../domain/token-bucket.ts'
import type { PermitDemand } from './object.ts'

/** Permits that were fetched are good for this long; what is left of them then goes back. */
const GOOD_FOR_MS = 30_000
const MAX_FETCHED = 256

/** Fetches permits. Undefined if nobody could be asked: nobody is held up then. Must not reject. */
export type FetchPermits = (demand: Required<PermitDemand>) => Promise<PermitAnswer | undefined>

/**
 * Permits of a limit that many share, fetched ahead so that a request waits for none: as many at a time as the pace of
 * requests needs. The first request after a pause goes ahead on credit, and no other one before that is paid.
 */
export class PermitStock {
  readonly #fetch: FetchPermits
  #left = 0
  #leftUntil = 0
  #owed = 0
  #wanted = 1
  #refusedUntil = 0
  #fetching: Promise<void> | undefined

  constructor(fetch: FetchPermits) {
    this.#fetch = fetch
  }

  /** Takes one permit. Undefined if it was there, else the milliseconds until there may be one. */
  async take(now: number): Promise<number | undefined> {
    for (;;) {
      if (this.#left > 0 && now < this.#leftUntil) {
        this.#left--
        if (this.#left <= this.#wanted / 4) this.#refill(now)
        return undefined
      }
      if (now < this.#refusedUntil) return this.#refusedUntil - now
      const isFirst = this.#fetching === undefined && this.#owed === 0
      if (isFirst) this.#owed = 1
      this.#refill(now)
      if (isFirst) return undefined
      await this.#fetching
    }
  }

  #refill(now: number): void {
    if (now < this.#refusedUntil) return
    this.#fetching ??= this.#fetchMore(now).finally(() => (this.#fetching = undefined))
  }

  async #fetchMore(now: number): Promise<void> {
    const isStale = now >= this.#leftUntil
    const returned = isStale ? this.#left : 0
    if (isStale) this.#left = 0
    // Used up in time: the pace needs more at once. Left over: less.
    const pace = isStale ? this.#wanted / 2 : this.#wanted * 2
    this.#wanted = Math.min(MAX_FETCHED, Math.max(1, Math.floor(pace)))
    const owed = this.#owed
    const answer = await this.#fetch({ wanted: owed + this.#wanted, least: owed + 1, returned })
    if (answer?.granted === 0) {
      this.#refusedUntil = now + answer.retryAfterMs
      return
    }
    this.#owed = 0
    this.#left += answer === undefined ? this.#wanted : answer.granted - owed
    this.#leftUntil = now + GOOD_FOR_MS
  }
}
