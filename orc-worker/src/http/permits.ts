import { type LimitSubject, placeOf } from '../domain/limit-place.ts'
import { type LimitName, type Rate, rateLimits } from '../domain/rate-limits.ts'
import { within } from '../domain/within.ts'
import { logEvent } from '../log.ts'
import { limiterStub } from '../objects/stubs.ts'

/** A limiter that takes longer counts as failed. */
const TIMEOUT_MS = 2_000
/** Names of which this isolate remembers how they stand. */
const REMEMBERED = 4_096
/** Permits that are fetched at a time where the work is cheaper than asking for each, and how long they are good for. */
const AHEAD: Partial<Record<LimitName, number>> = { anonymous_read: 5, management: 3 }
const AHEAD_MS = 30_000

/** `failed`: nobody could be asked. */
export type Verdict = 'granted' | 'failed' | { readonly retryAfterMs: number }

interface Standing {
  left: number
  leftUntil: number
  refusedUntil: number
}

/** What this isolate knows: it asks neither for permits that it has nor for those that it was refused a moment ago. */
const standings = new Map<string, Standing>()

/** Takes one permit of this limit. */
export async function takePermit(
  env: Env,
  macKey: CryptoKey,
  limit: LimitName,
  subject: LimitSubject,
  now: number,
): Promise<Verdict> {
  const rate = rateLimits(env.RATE_LIMITS)[limit]
  if (rate === null) return 'granted'
  const { name, shard } = await placeOf(limit, subject, macKey)
  if (takeAtHand(name, now)) return 'granted'
  const refusedUntil = standings.get(name)?.refusedUntil ?? 0
  if (now < refusedUntil) return { retryAfterMs: refusedUntil - now }
  const wanted = AHEAD[limit] ?? 1
  const taken = await ask(env, subject.by, shard, { name, rate, wanted, least: 1, returned: 0 })
  if (taken === undefined) return 'failed'
  if (taken.granted > 0) {
    if (taken.granted > 1) {
      // Others asked at the same time: each added to what is at hand.
      const left = atHand(name, now) + taken.granted - 1
      remember(name, { left, leftUntil: now + AHEAD_MS, refusedUntil: 0 })
    }
    return 'granted'
  }
  if (takeAtHand(name, now)) return 'granted'
  remember(name, { left: 0, leftUntil: 0, refusedUntil: now + taken.retryAfterMs })
  return { retryAfterMs: taken.retryAfterMs }
}

/** Gives one permit back: what it was taken for did not come about. */
export async function returnPermit(
  env: Env,
  macKey: CryptoKey,
  limit: LimitName,
  subject: LimitSubject,
): Promise<void> {
  const rate = rateLimits(env.RATE_LIMITS)[limit]
  if (rate === null) return
  const { name, shard } = await placeOf(limit, subject, macKey)
  const standing = standings.get(name)
  if (standing !== undefined) standing.refusedUntil = 0
  try {
    await within(limiterStub(env, subject.by, shard).giveBack(name, rate, 1), TIMEOUT_MS)
  } catch (error) {
    logEvent('limiter_failed', { error })
  }
}

async function ask(
  env: Env,
  by: LimitSubject['by'],
  shard: number,
  request: { name: string; rate: Rate; wanted: number; least: number; returned: number },
): Promise<{ granted: number; retryAfterMs: number } | undefined> {
  try {
    const taken = await within(limiterStub(env, by, shard).take(request), TIMEOUT_MS)
    if (taken === undefined) logEvent('limiter_failed', { reason: 'timeout' })
    return taken
  } catch (error) {
    logEvent('limiter_failed', { error })
    return undefined
  }
}

function atHand(name: string, now: number): number {
  const standing = standings.get(name)
  return standing !== undefined && now < standing.leftUntil ? standing.left : 0
}

function takeAtHand(name: string, now: number): boolean {
  const standing = standings.get(name)
  if (standing === undefined || atHand(name, now) === 0) return false
  standing.left--
  return true
}

function remember(name: string, standing: Standing): void {
  standings.delete(name)
  standings.set(name, standing)
  if (standings.size <= REMEMBERED) return
  const [oldest] = standings.keys()
  if (oldest !== undefined) standings.delete(oldest)
}
