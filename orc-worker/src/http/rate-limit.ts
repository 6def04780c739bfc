import { addressBlock } from '../domain/address-block.ts'
import type { LimitSubject } from '../domain/limit-place.ts'
import type { LimitName } from '../domain/rate-limits.ts'
import { retryAfterSeconds } from '../domain/token-bucket.ts'
import { type Access, admit } from './access.ts'
import { clientAddress } from './client-address.ts'
import type { AppContext } from './context.ts'
import { ApiError, STATUS } from './errors.ts'
import { takePermit } from './permits.ts'

/** Limits without which there is no service: where nobody can count, nobody may guess. */
const CLOSED: ReadonlySet<LimitName> = new Set([
  'login',
  'device_authorization',
  'device_token',
  'wrong_user_code',
])

/** What admission needs to know of a route. */
export interface LimitedRoute {
  readonly method: string
  readonly access: Access
  /** Of a route for strangers: its limit by address, where it is not the one of its kind. */
  readonly limit?: LimitName
}

/**
 * Lets the caller in, and answers with `handle`, or throws. Strangers are counted by address before anything is done for them (rule Y1);
 * who has a credential is not, unless it is a bad one, and is counted as who he is (rule Y3).
 */
export async function answerWithinLimits(
  c: AppContext,
  route: LimitedRoute,
  handle: () => Response | Promise<Response>,
): Promise<Response> {
  const limit = strangerLimit(route)
  if (limit !== undefined) await spend(c, limit, callerAddress(c))
  try {
    await admit[route.access](c)
    if (limit === undefined && route.access !== 'consumer') await spend(c, 'management', callerIdentity(c))
    // What is wrong with a key its Session may find out only now: that it is revoked, above all.
    return await handle()
  } catch (error) {
    if (error instanceof ApiError && STATUS[error.failure.code] === 401 && limit === undefined)
      await spend(c, 'failed_credential', callerAddress(c))
    throw error
  }
}

/** Takes a permit or throws `rate_limited`, or `storage_unavailable` where nobody could count and that matters. */
export async function spend(c: AppContext, limit: LimitName, subject: LimitSubject): Promise<void> {
  const verdict = await takePermit(c.env, limit, subject, Date.now())
  if (verdict === 'granted') return
  if (verdict !== 'failed') throw tooMany(subject, retryAfterSeconds(verdict.retryAfterMs))
  if (!CLOSED.has(limit)) return
  const message =
    'The Orc cannot count requests at the moment, and does not answer this one uncounted. Try again.'
  throw new ApiError({ code: 'storage_unavailable', message, retryAfterSeconds: 2 })
}

/** Who is counted as one stranger. Those of whom no address is known share one place. */
export function callerAddress(c: AppContext): LimitSubject {
  return { by: 'address', id: addressBlock(clientAddress(c.req.raw) ?? 'unknown') }
}

/** The person, or the account whose token it is. Only behind an access that sets one of them. */
export function callerIdentity(c: AppContext): LimitSubject {
  const { actor, person, account }: Partial<AppContext['var']> = c.var
  const id = actor?.person?.userId ?? person?.userId ?? account?.id
  if (id === undefined) throw new Error('nobody was admitted')
  return { by: 'account', id }
}

/** The limit that a route for strangers has by address, or undefined where a credential is asked for. */
function strangerLimit({ method, access, limit }: LimitedRoute): LimitName | undefined {
  if (limit !== undefined) return limit
  if (access === 'host') return 'host_wire'
  if (access === 'setup') return 'login'
  if (access !== 'public') return undefined
  return method === 'GET' ? 'anonymous_read' : 'login'
}

function tooMany({ by }: LimitSubject, seconds: number): ApiError {
  const whose = by === 'address' ? 'from this address' : 'by this person or account'
  const message = `There were too many requests ${whose}. Wait ${seconds} s and try again.`
  return new ApiError({ code: 'rate_limited', message, retryAfterSeconds: seconds })
}
