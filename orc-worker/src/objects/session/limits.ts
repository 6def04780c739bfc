import { readConfig } from '../../config.ts'
import { type LimitPlace, placeOf } from '../../domain/limit-place.ts'
import { type Rate, type RateLimits, parseRateLimits } from '../../domain/rate-limits.ts'
import { type Bucket, fullBucket, retryAfterSeconds, take } from '../../domain/token-bucket.ts'
import { takePermits } from '../limiter/client.ts'
import { PermitStock } from '../limiter/permit-stock.ts'
import { refusal } from './refusals.ts'
import type { Authorized, SessionFailure } from './types.ts'

/** How often a Session may be called: its key by a bucket of its own, its account by permits that all its Sessions share (rule Y2). */
export class SessionLimits {
  readonly #env: Env
  #limits: RateLimits | undefined
  #key: Bucket | undefined
  #account: { readonly id: string; readonly stock: PermitStock } | undefined

  constructor(env: Env) {
    this.#env = env
  }

  /** The call's own authorisation, if there is room for the call. */
  async guard(
    authorize: () => Promise<Authorized | SessionFailure>,
    now: number,
  ): Promise<Authorized | SessionFailure> {
    // At the first call and not before: settings that are wrong keep no Session from settling what it owes.
    const { key, account } = (this.#limits ??= parseRateLimits(this.#env.RATE_LIMITS))
    if (key !== null) {
      // First: a key that is no good is looked up each time.
      const { granted, retryAfterMs, bucket } = take(this.#key ?? fullBucket(key, now), key, now)
      this.#key = bucket
      if (granted === 0) return tooMany('with this key', retryAfterMs)
    }
    const authorized = await authorize()
    if (!authorized.ok || account === null) return authorized
    const retryAfterMs = await this.#stockOf(authorized.record.accountId, account).take(now)
    return retryAfterMs === undefined ? authorized : tooMany('with keys of this account', retryAfterMs)
  }

  #stockOf(accountId: string, rate: Rate): PermitStock {
    if (this.#account?.id !== accountId) {
      // Where nobody can count, work that is paid for goes on.
      const stock = new PermitStock((demand) =>
        takePermits(this.#env, this.#placeOf(accountId), rate, demand),
      )
      this.#account = { id: accountId, stock }
    }
    return this.#account.stock
  }

  async #placeOf(accountId: string): Promise<LimitPlace> {
    const { keys } = await readConfig(this.#env)
    return placeOf('account', { by: 'account', id: accountId }, keys.rateLimitMac)
  }
}

function tooMany(whose: string, retryAfterMs: number): SessionFailure {
  const seconds = retryAfterSeconds(retryAfterMs)
  const message = `There were too many requests ${whose}. Wait ${seconds} s and try again.`
  return { ...refusal('rate_limited', message), retryAfterSeconds: seconds }
}
