import type { Rate } from './rate-limits.ts'

const MINUTE_MS = 60_000

/** Permits that were there at a time (milliseconds since the epoch). They come back with time, up to the burst. */
export interface Bucket {
  readonly level: number
  readonly at: number
}

/** What was given. Where it is nothing, `retryAfterMs` says when there would be something. */
export interface PermitAnswer {
  readonly granted: number
  readonly retryAfterMs: number
}

/** What a bucket gave, and how it stands since. */
export interface Taken extends PermitAnswer {
  readonly bucket: Bucket
}

export function fullBucket(rate: Rate, now: number): Bucket {
  return { level: rate.burst, at: now }
}

/** The bucket as it stands now. A clock that goes back gives nothing, and takes nothing. */
export function refilled(bucket: Bucket, rate: Rate, now: number): Bucket {
  const elapsed = Math.max(0, now - bucket.at)
  const level = Math.min(rate.burst, bucket.level + (elapsed * rate.perMinute) / MINUTE_MS)
  return { level, at: Math.max(now, bucket.at) }
}

/** True if nothing is missing: such a bucket need not be remembered. */
export function isFull(bucket: Bucket, rate: Rate, now: number): boolean {
  return refilled(bucket, rate, now).level >= rate.burst
}

/** Takes as many of the wanted permits as there are, but `least` or none. `least` beyond the burst counts as the burst. */
export function take(bucket: Bucket, rate: Rate, now: number, wanted = 1, least = 1): Taken {
  const there = refilled(bucket, rate, now)
  const needed = Math.min(least, rate.burst)
  if (there.level < needed) {
    const retryAfterMs = Math.ceil(((needed - there.level) * MINUTE_MS) / rate.perMinute)
    return { granted: 0, retryAfterMs, bucket: there }
  }
  const granted = Math.min(wanted, Math.floor(there.level))
  return { granted, retryAfterMs: 0, bucket: { ...there, level: there.level - granted } }
}

/** Puts back what was not needed. */
export function giveBack(bucket: Bucket, rate: Rate, now: number, permits: number): Bucket {
  const there = refilled(bucket, rate, now)
  return { ...there, level: Math.min(rate.burst, there.level + permits) }
}

/** Whole seconds for `Retry-After`: never too few. */
export function retryAfterSeconds(retryAfterMs: number): number {
  return Math.max(1, Math.ceil(retryAfterMs / 1000))
}
