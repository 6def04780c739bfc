import { type LimitName, type RateLimits } from '../../domain/rate-limits.ts'
import { type Bucket, fullBucket, take } from '../../domain/token-bucket.ts'

type MessageLimit = Extract<LimitName, 'host_messages' | 'host_words' | 'host_frames'>

/**
 * How many messages a Host may send (rule Y4). Counted in memory, over all its connections: one that goes on keeps its
 * object awake, and one that falls silent has its permits back long before the object sleeps.
 */
export class MessageLimits {
  readonly #limits: Pick<RateLimits, MessageLimit>
  readonly #buckets = new Map<MessageLimit, Bucket>()

  constructor(limits: Pick<RateLimits, MessageLimit>) {
    this.#limits = limits
  }

  /** True if one more message is too many. */
  exceeds(limit: MessageLimit, now: number): boolean {
    const rate = this.#limits[limit]
    if (rate === null) return false
    const { granted, bucket } = take(this.#buckets.get(limit) ?? fullBucket(rate, now), rate, now)
    this.#buckets.set(limit, bucket)
    return granted === 0
  }
}
