import { and, desc, eq, gt, isNotNull, isNull, lt, ne, or } from 'drizzle-orm'
import { LOGIN_IDLE_MS, LOGIN_MS, type LoginCookie, type LoginSessionState } from '../domain/login-session.ts'
import type { Database } from './client.ts'
import { loginSessions, users } from './identity-schema.ts'

/** A login session with the person that it belongs to. */
export interface LoginSession extends LoginSessionState {
  readonly id: string
  readonly userId: string
  readonly email: string | null
  readonly name: string
  /** When the person logged in; a rotation of the cookie changes nothing about it. */
  readonly createdAt: number
}

/** One line of the list of logins. Times in milliseconds since the epoch. */
export interface LoginSessionEntry {
  readonly id: string
  readonly label: string
  readonly createdAt: number
  readonly lastSeenAt: number
}

/** Starts a login session and forgets those of the person that are over. */
export async function createLoginSession(
  db: Database,
  { sessionId, hash }: LoginCookie,
  { userId, label }: { userId: string; label: string },
  now: number,
): Promise<void> {
  const row = { id: sessionId, userId, hash, label, createdAt: now, rotatedAt: now, lastSeenAt: now }
  const over = or(isNotNull(loginSessions.revokedAt), lt(loginSessions.expiresAt, now))
  await db.batch([
    db.delete(loginSessions).where(and(eq(loginSessions.userId, userId), over)),
    db.insert(loginSessions).values({ ...row, expiresAt: now + LOGIN_MS }),
  ])
}

/** The login session with this id, ended ones too: who reads it checks its times and which of its cookies was shown. */
export async function findLoginSession(db: Database, id: string): Promise<LoginSession | undefined> {
  const [row] = await db
    .select({
      id: loginSessions.id,
      userId: users.id,
      email: users.email,
      name: users.name,
      hash: loginSessions.hash,
      previousHash: loginSessions.previousHash,
      rotatedAt: loginSessions.rotatedAt,
      createdAt: loginSessions.createdAt,
      lastSeenAt: loginSessions.lastSeenAt,
      expiresAt: loginSessions.expiresAt,
      revokedAt: loginSessions.revokedAt,
    })
    .from(loginSessions)
    .innerJoin(users, eq(users.id, loginSessions.userId))
    .where(eq(loginSessions.id, id))
  return row
}

/** Replaces a session's cookie. False if another request has done so, or the session has ended meanwhile. */
export async function rotateLoginSession(
  db: Database,
  next: LoginCookie,
  previousHash: string,
  now: number,
): Promise<boolean> {
  const rows = await db
    .update(loginSessions)
    .set({ hash: next.hash, previousHash, rotatedAt: now, lastSeenAt: now })
    .where(
      and(
        eq(loginSessions.id, next.sessionId),
        eq(loginSessions.hash, previousHash),
        isNull(loginSessions.revokedAt),
      ),
    )
    .returning({ id: loginSessions.id })
  return rows.length > 0
}

/** Notes that the session was seen. */
export async function touchLoginSession(db: Database, id: string, now: number): Promise<void> {
  await db.update(loginSessions).set({ lastSeenAt: now }).where(eq(loginSessions.id, id))
}

/** Logins of a person that are good, the latest first. */
export async function listLoginSessions(
  db: Database,
  userId: string,
  now: number,
): Promise<LoginSessionEntry[]> {
  const { id, label, createdAt, lastSeenAt } = loginSessions
  return db
    .select({ id, label, createdAt, lastSeenAt })
    .from(loginSessions)
    .where(
      and(
        eq(loginSessions.userId, userId),
        isNull(loginSessions.revokedAt),
        gt(loginSessions.expiresAt, now),
        gt(lastSeenAt, now - LOGIN_IDLE_MS),
      ),
    )
    .orderBy(desc(createdAt))
}

/** Ends a login session, whoever's it is. */
export async function revokeLoginSession(db: Database, id: string, now: number): Promise<void> {
  await db
    .update(loginSessions)
    .set({ revokedAt: now })
    .where(and(eq(loginSessions.id, id), isNull(loginSessions.revokedAt)))
}

/** Ends one login session of this person. False if they have no such one. */
export async function revokeOwnLoginSession(
  db: Database,
  id: string,
  userId: string,
  now: number,
): Promise<boolean> {
  const rows = await db
    .update(loginSessions)
    .set({ revokedAt: now })
    .where(and(eq(loginSessions.id, id), eq(loginSessions.userId, userId), isNull(loginSessions.revokedAt)))
    .returning({ id: loginSessions.id })
  return rows.length > 0
}

/** Ends every login session of a person but this one. */
export async function revokeOtherLoginSessions(
  db: Database,
  userId: string,
  except: string,
  now: number,
): Promise<void> {
  await db
    .update(loginSessions)
    .set({ revokedAt: now })
    .where(
      and(eq(loginSessions.userId, userId), ne(loginSessions.id, except), isNull(loginSessions.revokedAt)),
    )
}
