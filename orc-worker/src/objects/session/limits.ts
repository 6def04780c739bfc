import { readConfig } from '../../config.ts'
import { placeOf } from '../../domain/limit-place.ts'
import { type PermitAnswer, PermitLease } from '../../domain/permit-lease.ts'
import { rateLimits } from '../../domain/rate-limits.ts'
import { type Bucket, fullBucket, retryAfterSeconds, take } from '../../domain/token-bucket.ts'
import { within } from '../../domain/within.ts'
import { logEvent } from '../../log.ts'
import { limiterStub } from '../stubs.ts'
import { refusal } from './refusals.ts'
import type { Authorized, SessionFailure } from './types.ts'

/** A limiter that takes longer counts as failed. */
const TIMEOUT_MS = 2_000

/** How often a Session may be called: its key by a bucket of its own, its account by permits that all its Sessions share (rule Y2). */
export class SessionLimits {
  readonly #env: Env
  #key: Bucket | undefined
  #account: { readonly id: string; readonly lease: PermitLease } | undefined

  constructor(env: Env) {
    this.#env = env
  }

  /** The call's own authorisation, if there is room for the call. */
  async guard(
    authorize: () => Promise<Authorized | SessionFailure>,
    now: number,
  ): Promise<Authorized | SessionFailure> {
    const { key, account } = rateLimits(this.#env.RATE_LIMITS)
    if (key !== null) {
      // First: a key that is no good is looked up each time.
      const { granted, retryAfterMs, bucket } = take(this.#key ?? fullBucket(key, now), key, now)
      this.#key = bucket
      if (granted === 0) return tooMany('with this key', retryAfterMs)
    }
    const authorized = await authorize()
    if (!authorized.ok || account === null) return authorized
    const retryAfterMs = await this.#leaseOf(authorized.record.accountId).take(now)
    return retryAfterMs === undefined ? authorized : tooMany('with keys of this account', retryAfterMs)
  }

  #leaseOf(accountId: string): PermitLease {
    if (this.#account?.id !== accountId) {
      const fetch = (wanted: number, least: number, returned: number): Promise<PermitAnswer | undefined> =>
        this.#fetch(accountId, wanted, least, returned)
      this.#account = { id: accountId, lease: new PermitLease(fetch) }
    }
    return this.#account.lease
  }

  /** Never rejects: where nobody can count, work that is paid for goes on. */
  async #fetch(
    accountId: string,
    wanted: number,
    least: number,
    returned: number,
  ): Promise<PermitAnswer | undefined> {
    const { account: rate } = rateLimits(this.#env.RATE_LIMITS)
    if (rate === null) return undefined
    try {
      const { keys } = await readConfig(this.#env)
      const { name, shard } = await placeOf('account', { by: 'account', id: accountId }, keys.rateLimitMac)
      const limiter = limiterStub(this.#env, 'account', shard)
      return await within(limiter.take({ name, rate, wanted, least, returned }), TIMEOUT_MS)
    } catch (error) {
      logEvent('limiter_failed', { error })
      return undefined
    }
  }
}

function tooMany(whose: string, retryAfterMs: number): SessionFailure {
  const seconds = retryAfterSeconds(retryAfterMs)
  const message = `There were too many requests ${whose}. Wait ${seconds} s and try again.`
  return { ...refusal('rate_limited', message), retryAfterSeconds: seconds }
}
