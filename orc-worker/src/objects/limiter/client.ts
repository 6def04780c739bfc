import type { LimitPlace } from '../../domain/limit-place.ts'
import type { Rate } from '../../domain/rate-limits.ts'
import type { PermitAnswer } from '../../domain/token-bucket.ts'
import { within } from '../../domain/within.ts'
import { logEvent } from '../../log.ts'
import { limiterStub } from '../stubs.ts'
import type { PermitDemand } from './object.ts'

/** A limiter that takes longer counts as failed. */
const TIMEOUT_MS = 2_000

/** Where permits are asked for. It is found out here where that may fail. */
type Place = LimitPlace | Promise<LimitPlace>

/** Takes permits. Never rejects: undefined if nobody could count, and the caller decides what becomes of the work. */
export async function takePermits(
  env: Env,
  place: Place,
  rate: Rate,
  demand: PermitDemand,
): Promise<PermitAnswer | undefined> {
  return answered(async () => {
    const { by, shard, name } = await place
    return limiterStub(env, by, shard).take({ name, rate, ...demand })
  })
}

/** Gives permits back that were not needed. Never rejects: where nobody can count, they come back with time. */
export async function returnPermits(env: Env, place: Place, rate: Rate, permits: number): Promise<void> {
  await answered(async () => {
    const { by, shard, name } = await place
    await limiterStub(env, by, shard).giveBack(name, rate, permits)
    return 'given back'
  })
}

async function answered<Answer extends object | string>(
  ask: () => Promise<Answer>,
): Promise<Answer | undefined> {
  try {
    const answer = await within(ask(), TIMEOUT_MS)
    if (answer === undefined) logEvent('limiter_failed', { reason: 'timeout' })
    return answer
  } catch (error) {
    logEvent('limiter_failed', { error })
    return undefined
  }
}
