import { readConfig } from '../config.ts'
import { type LimitSubject, placeOf } from '../domain/limit-place.ts'
import type { LimitName } from '../domain/rate-limits.ts'
import { returnPermits, takePermits } from '../objects/limiter/client.ts'

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
  limit: LimitName,
  subject: LimitSubject,
  now: number,
): Promise<Verdict> {
  const { keys, rateLimits } = await readConfig(env)
  const rate = rateLimits[limit]
  if (rate === null) return 'granted'
  const place = await placeOf(limit, subject, keys.rateLimitMac)
  const { name } = place
  if (takeAtHand(name, now)) return 'granted'
  const refusedUntil = standings.get(name)?.refusedUntil ?? 0
  if (now < refusedUntil) return { retryAfterMs: refusedUntil - now }
  const taken = await takePermits(env, place, rate, { wanted: AHEAD[limit] ?? 1 })
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
export async function returnPermit(env: Env, limit: LimitName, subject: LimitSubject): Promise<void> {
  const { keys, rateLimits } = await readConfig(env)
  const rate = rateLimits[limit]
  if (rate === null) return
  const place = await placeOf(limit, subject, keys.rateLimitMac)
  const standing = standings.get(place.name)
  if (standing !== undefined) standing.refusedUntil = 0
  await returnPermits(env, place, rate, 1)
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
