import { DurableObject } from 'cloudflare:workers'
import { BucketShelf } from '../../domain/bucket-shelf.ts'
import type { Rate } from '../../domain/rate-limits.ts'
import type { PermitAnswer } from '../../domain/token-bucket.ts'

/** How many permits somebody would like. */
export interface PermitDemand {
  readonly wanted: number
  /** Fewer than these are none. One, if nothing is said. */
  readonly least?: number
  /** Permits taken before that were not needed. */
  readonly returned?: number
}

/** Asks for permits of one name. */
export interface PermitRequest extends PermitDemand {
  readonly name: string
  readonly rate: Rate
}

/**
 * One shelf of rate limits. There are a fixed number of these objects, and each keeps a fixed number of buckets in memory
 * and nothing in storage: a stranger can make neither an object nor a write. One that restarts is full again.
 */
export class RateLimiter extends DurableObject<Env> {
  readonly #shelf = new BucketShelf()

  async take({ name, rate, wanted, least, returned = 0 }: PermitRequest): Promise<PermitAnswer> {
    const now = Date.now()
    if (returned > 0) this.#shelf.giveBack(name, rate, now, returned)
    return this.#shelf.take(name, rate, now, wanted, least)
  }

  async giveBack(name: string, rate: Rate, permits: number): Promise<void> {
    this.#shelf.giveBack(name, rate, Date.now(), permits)
  }
}
