import { getCookie } from 'hono/cookie'
import { serialize } from 'hono/utils/cookie'
import { HOME_PATH, returnPath } from '../domain/return-path.ts'
import type { AppContext } from '../http/context.ts'

// The prefix makes browsers refuse it from any other host, from subdomains, and over plain HTTP (RFC 6265bis §4.1.3).
const COOKIE = '__Host-daisi_github'

/** A login at GitHub that this browser began. */
export interface BegunLogin {
  readonly flowToken: string
  /** Where the login leads: one of our own paths. */
  readonly next: string
}

/** Binds a login to this browser. */
export function keepBegunLogin(c: AppContext, { flowToken, next }: BegunLogin, lifetimeMs: number): void {
  setFlowCookie(c, `${flowToken}|${next}`, lifetimeMs)
}

/** The login that this browser began, if any. It is forgotten with this: whatever comes of it, it is over. */
export function takeBegunLogin(c: AppContext): BegunLogin | undefined {
  const value = getCookie(c, COOKIE)
  if (value === undefined) return undefined
  setFlowCookie(c, '', 0)
  const [flowToken = '', next = HOME_PATH] = value.split('|')
  return { flowToken, next: returnPath(next) }
}

// `c.res` is there before the answer, and Hono carries its headers over to whatever that is. `Lax`, because the browser comes
// back from another site.
function setFlowCookie(c: AppContext, value: string, lifetimeMs: number): void {
  const maxAge = Math.floor(lifetimeMs / 1000)
  const options = { path: '/', secure: true, httpOnly: true, sameSite: 'Lax', maxAge } as const
  c.res.headers.append('set-cookie', serialize(COOKIE, value, options))
}
