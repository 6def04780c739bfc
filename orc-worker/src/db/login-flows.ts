import { type SQL, and, eq, gt, isNull, lt, sql } from 'drizzle-orm'
import { DAY_MS, HOUR_MS } from '../domain/time.ts'
import type { Database } from './client.ts'
import { loginFlows } from './identity-schema.ts'

/** Wrong answers that a flow takes: with the last one it is dead. */
const ATTEMPTS = 5
/** Flows of one address that can be answered at the same time. A new one ends the oldest. */
const LIVE_PER_ADDRESS = 3
/**
 * Flows that one address may begin. With the attempts of each they bound how many codes anybody can guess at, and how many
 * messages an address can be sent.
 */
const PER_ADDRESS_AND_HOUR = 5
const PER_ADDRESS_AND_DAY = 20

export type FlowKind = 'email' | 'github' | 'passkey' | 'passkey-registration'

/** A login under way. */
export interface NewFlow {
  /** SHA-256 of the flow's token, which only the browser that began it has. */
  readonly hash: string
  readonly kind: FlowKind
  /** What the answer is checked against: HMAC of the code, PKCE verifier, or challenge. */
  readonly secret: string
  /** For `email`: where the code goes, lower case. */
  readonly email?: string
  /** For `passkey-registration`: who adds one. */
  readonly userId?: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

/** What a flow was begun with. */
export interface UsedFlow {
  readonly secret: string
  readonly email: string | null
  readonly userId: string | null
}

/** Begins a flow. False if its address has begun too many: then there is none, and whatever is answered to it is wrong. */
export async function beginFlow(db: Database, flow: NewFlow, now: number): Promise<boolean> {
  const { hash, kind, secret, email = null, userId = null, expiresAt } = flow
  const since = (start: number): SQL =>
    sql`(select count(*) from login_flows where email = ${email} and kind = 'email' and created_at > ${start})`
  // Columns stand in the order of the schema.
  const begin = db
    .insert(loginFlows)
    .select(
      sql`select ${hash}, ${kind}, ${email}, ${userId}, ${secret}, 0, ${now}, ${expiresAt}, null
        where ${email} is null or (${since(now - HOUR_MS)} < ${PER_ADDRESS_AND_HOUR}
          and ${since(now - DAY_MS)} < ${PER_ADDRESS_AND_DAY})`,
    )
    .returning({ hash: loginFlows.hash })
  const endOldest = db
    .update(loginFlows)
    .set({ expiresAt: now })
    .where(
      sql`email = ${email} and kind = 'email' and used_at is null and expires_at > ${now} and hash not in (
        select hash from login_flows where email = ${email} and kind = 'email'
        order by created_at desc, rowid desc limit ${LIVE_PER_ADDRESS})`,
    )
  // They count for a day after they end.
  const forget = db.delete(loginFlows).where(lt(loginFlows.expiresAt, now - DAY_MS))
  const [begun] = await db.batch([begin, endOldest, forget])
  return begun.length > 0
}

/** Takes a flow of a kind that is answered once, rightly or wrongly. Undefined if it is unknown, over or was used before. */
export async function useFlow(
  db: Database,
  hash: string,
  kind: FlowKind,
  now: number,
): Promise<UsedFlow | undefined> {
  const [row] = await db
    .update(loginFlows)
    .set({ usedAt: now, attempts: sql`attempts + 1` })
    .where(isLive(hash, kind, now))
    .returning({ secret: loginFlows.secret, email: loginFlows.email, userId: loginFlows.userId })
  return row
}

/**
 * Answers a flow that may be answered wrongly a few times. Undefined if the answer is wrong or the flow is unknown, over or
 * was used before. Of two right answers at once, one is good.
 */
export async function answerFlow(
  db: Database,
  { hash, kind, secret }: Pick<NewFlow, 'hash' | 'kind' | 'secret'>,
  now: number,
): Promise<UsedFlow | undefined> {
  const [row] = await db
    .update(loginFlows)
    .set({ usedAt: sql`case when secret = ${secret} then ${now} end`, attempts: sql`attempts + 1` })
    .where(and(isLive(hash, kind, now), lt(loginFlows.attempts, ATTEMPTS)))
    .returning({ usedAt: loginFlows.usedAt, email: loginFlows.email, userId: loginFlows.userId })
  return row === undefined || row.usedAt === null ? undefined : { ...row, secret }
}

function isLive(hash: string, kind: FlowKind, now: number): SQL | undefined {
  return and(
    eq(loginFlows.hash, hash),
    eq(loginFlows.kind, kind),
    isNull(loginFlows.usedAt),
    gt(loginFlows.expiresAt, now),
  )
}
