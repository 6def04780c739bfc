import type { Rate } from './rate-limits.ts'
import { type Bucket, type PermitAnswer, fullBucket, giveBack, isFull, take } from './token-bucket.ts'

/** Buckets that one shelf remembers. */
const CAPACITY = 10_000
/** New names that may push out a bucket in use: what is forgotten is full again, so that all of them together share this. */
const CROWDED: Rate = { perMinute: 6_000, burst: 1_000 }

interface Shelved {
  bucket: Bucket
  readonly rate: Rate
}

/**
 * Many buckets in bounded memory. The one that was used longest ago makes room; one that is full again is no loss. Where all
 * are in use, names that are not known here share one bucket: many addresses gain their owner no more than that, and those
 * that are known here do not feel them.
 */
export class BucketShelf {
  readonly #capacity: number
  readonly #crowded: Rate
  /** The one used longest ago first. */
  readonly #shelved = new Map<string, Shelved>()
  #newcomers: Bucket | undefined

  constructor(capacity = CAPACITY, crowded = CROWDED) {
    this.#capacity = capacity
    this.#crowded = crowded
  }

  get size(): number {
    return this.#shelved.size
  }

  take(name: string, rate: Rate, now: number, wanted = 1, least = 1): PermitAnswer {
    const known = this.#shelved.get(name)
    if (known === undefined) {
      const refused = this.#makeRoom(now)
      if (refused !== undefined) return { granted: 0, retryAfterMs: refused }
    }
    const { granted, retryAfterMs, bucket } = take(
      known?.bucket ?? fullBucket(rate, now),
      rate,
      now,
      wanted,
      least,
    )
    this.#shelve(name, { bucket, rate })
    return { granted, retryAfterMs }
  }

  /** Permits of a bucket that is forgotten are there again without this. */
  giveBack(name: string, rate: Rate, now: number, permits: number): void {
    const known = this.#shelved.get(name)
    if (known !== undefined) known.bucket = giveBack(known.bucket, rate, now, permits)
  }

  #shelve(name: string, shelved: Shelved): void {
    this.#shelved.delete(name)
    this.#shelved.set(name, shelved)
  }

  /** Room for one more, or how long there is none. */
  #makeRoom(now: number): number | undefined {
    if (this.#shelved.size < this.#capacity) return undefined
    const [oldest] = this.#shelved
    if (oldest === undefined) return undefined
    const [name, { bucket, rate }] = oldest
    if (!isFull(bucket, rate, now)) {
      const shared = take(this.#newcomers ?? fullBucket(this.#crowded, now), this.#crowded, now)
      this.#newcomers = shared.bucket
      if (shared.granted === 0) return shared.retryAfterMs
    }
    this.#shelved.delete(name)
    return undefined
  }
}
