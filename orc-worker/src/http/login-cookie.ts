import { getCookie } from 'hono/cookie'
import { serialize } from 'hono/utils/cookie'
import { readConfig } from '../config.ts'
import { type Database, database } from '../db/client.ts'
import {
  type LoginSession,
  createLoginSession,
  findLoginSession,
  revokeLoginSession,
  rotateLoginSession,
  touchLoginSession,
} from '../db/login-sessions.ts'
import { loginLabel } from '../domain/login-label.ts'
import {
  LAST_SEEN_STEP_MS,
  LOGIN_MS,
  type LoginCookie,
  checkLoginCookie,
  judgeLoginCookie,
  mintLoginCookie,
} from '../domain/login-session.ts'
import { logRequest } from './log-request.ts'
import type { AppContext, Person } from './context.ts'

// The prefix makes browsers refuse it from any other host, from subdomains, and over plain HTTP (RFC 6265bis §4.1.3).
const COOKIE = '__Host-daisi_login'

/**
 * Logs this browser in: starts a login session and sets its cookie. The login session that came with the request ends, so
 * that nobody goes on in one that somebody else began.
 */
export async function startLogin(c: AppContext, userId: string): Promise<void> {
  const { keys } = await readConfig(c.env)
  await endShown(c, keys.credentialMac)
  const cookie = await mintLoginCookie(keys.credentialMac)
  const now = Date.now()
  const label = loginLabel(c.req.header('user-agent'))
  await createLoginSession(database(c.env), cookie, { userId, label }, now)
  setLoginCookie(c, cookie.value, LOGIN_MS)
}

/** Logs this browser out: ends its login session and takes its cookie away. */
export async function endLogin(c: AppContext): Promise<void> {
  const { keys } = await readConfig(c.env)
  await endShown(c, keys.credentialMac)
  setLoginCookie(c, '', 0)
}

/** True if the request shows a login cookie, good or not. */
export function hasLoginCookie(c: AppContext): boolean {
  return getCookie(c, COOKIE) !== undefined
}

/** The person whose login cookie the request shows, or undefined if it is not good. Replaces the cookie when its time has come. */
export async function readLogin(c: AppContext): Promise<Person | undefined> {
  const { keys } = await readConfig(c.env)
  const cookie = await checkLoginCookie(getCookie(c, COOKIE) ?? '', keys.credentialMac)
  if (cookie === undefined) return undefined
  const db = database(c.env)
  const session = await findLoginSession(db, cookie.sessionId)
  if (session === undefined) return undefined
  const now = Date.now()
  switch (judgeLoginCookie(session, cookie.hash, now)) {
    case 'over':
      return undefined
    case 'stolen':
      await revokeLoginSession(db, session.id, now)
      logRequest(c, 'login_stolen', { userId: session.userId, loginSessionId: session.id })
      return undefined
    case 'rotate':
      await rotate(c, db, { session, shown: cookie, macKey: keys.credentialMac, now })
      return personOf(session)
    case 'good':
      if (now - session.lastSeenAt >= LAST_SEEN_STEP_MS) await touchLoginSession(db, session.id, now)
      return personOf(session)
  }
}

async function rotate(
  c: AppContext,
  db: Database,
  {
    session,
    shown,
    macKey,
    now,
  }: { session: LoginSession; shown: LoginCookie; macKey: CryptoKey; now: number },
): Promise<void> {
  const next = await mintLoginCookie(macKey, session.id)
  // If another request was faster, its answer carries the new cookie.
  if (await rotateLoginSession(db, next, shown.hash, now))
    setLoginCookie(c, next.value, session.expiresAt - now)
}

async function endShown(c: AppContext, macKey: CryptoKey): Promise<void> {
  const shown = await checkLoginCookie(getCookie(c, COOKIE) ?? '', macKey)
  if (shown !== undefined) await revokeLoginSession(database(c.env), shown.sessionId, Date.now())
}

function personOf({ id, userId, email, name, createdAt }: LoginSession): Person {
  return { userId, loginSessionId: id, loggedInAt: createdAt, email, name }
}

/**
 * Puts the cookie on whatever this request will be answered with, an error too: `c.res` is there before the answer, and Hono
 * carries its headers over. `Lax`, since with `Strict` a browser that comes back from GitHub would not show the login that is
 * to end; what changes anything is guarded by `requireSameOrigin` besides.
 */
function setLoginCookie(c: AppContext, value: string, lifetimeMs: number): void {
  const others = c.res.headers.getSetCookie().filter((cookie) => !cookie.startsWith(`${COOKIE}=`))
  c.res.headers.delete('set-cookie')
  const options = {
    path: '/',
    secure: true,
    httpOnly: true,
    sameSite: 'Lax',
    maxAge: Math.floor(lifetimeMs / 1000),
  } as const
  for (const cookie of [...others, serialize(COOKIE, value, options)])
    c.res.headers.append('set-cookie', cookie)
}
