import { FRESH_LOGIN_MS } from '../domain/login-session.ts'
import type { AppContext, Person } from './context.ts'
import { ApiError } from './errors.ts'

/** True if the person logged in just now, in this browser. */
export function isFresh({ loggedInAt }: Person, now: number): boolean {
  return now - loggedInAt < FRESH_LOGIN_MS
}

/**
 * Throws `login_too_old` unless the person logged in just now: what outlives a login is not changed by one that may have been
 * taken over since. `patienceMs`: what was begun in time may take this much longer.
 */
export function requireFreshLogin(c: AppContext, patienceMs = 0): void {
  if (isFresh(c.var.person, Date.now() - patienceMs)) return
  const message = `Passkeys change within ${FRESH_LOGIN_MS / 60_000} minutes of a login. Log out, log in again, and repeat this.`
  throw new ApiError({ code: 'login_too_old', message })
}
