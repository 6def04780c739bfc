import { base64UrlDecode } from './base64url.ts'
import { checkCredential, hashCredential, mintCredential } from './credential.ts'
import { DAY_MS, HOUR_MS } from './time.ts'

/** A browser stays logged in for this long at most, whatever it does. */
export const LOGIN_MS = 30 * DAY_MS
/** A browser that does nothing for this long is logged out. */
export const LOGIN_IDLE_MS = 7 * DAY_MS
/** A cookie older than this is replaced. */
export const ROTATE_AFTER_MS = HOUR_MS
/** Ways to log in are added and removed this soon after logging in: a login that was stolen later leaves none behind. */
export const FRESH_LOGIN_MS = 15 * 60_000
/** Requests that were under way when the cookie was replaced may still show the one before. */
export const ROTATION_GRACE_MS = 60_000
/** How exact the time of the last visit is: writing it at every request would cost more than it tells. */
export const LAST_SEEN_STEP_MS = 5 * 60_000

const PREFIX = 'daisi_ls_'
const ID_BYTES = 16

/** A login cookie that is genuine: this Orc made it at some time. */
export interface LoginCookie {
  readonly sessionId: string
  /** SHA-256 of the value. */
  readonly hash: string
}

/** A new cookie value with what is stored of it: of a new login session, or the next one of the session given. */
export async function mintLoginCookie(
  macKey: CryptoKey,
  sessionId?: string,
): Promise<LoginCookie & { readonly value: string }> {
  const lead = sessionId === undefined ? undefined : bytesOf(sessionId)
  const value = await mintCredential('login-session', macKey, lead)
  return { value, sessionId: idIn(value), hash: await hashCredential(value) }
}

/** What a cookie's value says, or undefined if it is not one of ours. Needs no storage. */
export async function checkLoginCookie(value: string, macKey: CryptoKey): Promise<LoginCookie | undefined> {
  const hash = await checkCredential('login-session', value, macKey)
  return hash === undefined ? undefined : { sessionId: idIn(value), hash }
}

/** The part of a login session that decides about a cookie. Times in milliseconds since the epoch. */
export interface LoginSessionState {
  readonly hash: string
  readonly previousHash: string | null
  readonly rotatedAt: number
  readonly lastSeenAt: number
  readonly expiresAt: number
  readonly revokedAt: number | null
}

/**
 * What to do with a genuine cookie of this session. `good`: let it in. `rotate`: let it in and replace the cookie. `over`: the
 * session has ended. `stolen`: a value that was replaced long ago is back, so that two browsers hold copies: the session ends.
 */
export function judgeLoginCookie(
  session: LoginSessionState,
  hash: string,
  now: number,
): 'good' | 'rotate' | 'over' | 'stolen' {
  if (session.revokedAt !== null || session.expiresAt <= now) return 'over'
  if (session.lastSeenAt + LOGIN_IDLE_MS <= now) return 'over'
  if (hash === session.hash) return session.rotatedAt + ROTATE_AFTER_MS <= now ? 'rotate' : 'good'
  const justReplaced = hash === session.previousHash && now < session.rotatedAt + ROTATION_GRACE_MS
  return justReplaced ? 'good' : 'stolen'
}

// Every cookie of a session names it, so that each value that was ever replaced is known again, not only the last.
function idIn(value: string): string {
  const bytes = base64UrlDecode(value.slice(PREFIX.length, PREFIX.length + 64))?.slice(0, ID_BYTES)
  return `lgn_${Array.from(bytes ?? [], (byte) => byte.toString(16).padStart(2, '0')).join('')}`
}

function bytesOf(sessionId: string): Uint8Array {
  const hex = sessionId.slice('lgn_'.length)
  return Uint8Array.from({ length: ID_BYTES }, (_, index) =>
    Number.parseInt(hex.slice(index * 2, index * 2 + 2), 16),
  )
}
