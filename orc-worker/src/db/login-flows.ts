import { type SQL, and, eq, gt, isNull, lt, sql } from 'drizzle-orm'
import { DAY_MS, HOUR_MS } from '../domain/time.ts'
import type { Database } from './client.ts'
import { loginFlows } from './identity-schema.ts'

/** Wrong answers that a flow takes: with the last one it is dead. */
const ATTEMPTS = 5
/** Flows that one asker has for an address and that can be answered at the same time. A new one ends the oldest of them. */
const LIVE = 3
/**
 * Flows that one asker may begin for an address. It takes four of them to use up an hour of somebody else's, and three a day.
 */
const PER_ASKER_AND_HOUR = 5
const PER_ASKER_AND_DAY = 20
/**
 * Flows that an address may begin, whoever asks. They bound how many messages it can be sent, and how many codes anybody can
 * guess at: 20 flows of 5 attempts against 10⁶ codes are 1 in 10,000 an hour, 50 of them 1 in 4,000 a day.
 */
const PER_ADDRESS_AND_HOUR = 20
const PER_ADDRESS_AND_DAY = 50

export type FlowKind = 'email' | 'github' | 'passkey' | 'passkey-registration'

/** A login under way. */
export interface NewFlow {
  /** SHA-256 of the flow's token, which only the browser that began it has. */
  readonly hash: string
  readonly kind: FlowKind
  /** What the answer is checked against: HMAC of the code, PKCE verifier, or challenge. */
  readonly secret: string
  /** For `email`: where the code goes, lower case, and who asks (`loginAsker`). */
  readonly sentTo?: { readonly email: string; readonly asker: string }
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

/** Begins a flow. False if too many were begun for its address: then there is none, and whatever is answered to it is wrong. */
export async function beginFlow(db: Database, flow: NewFlow, now: number): Promise<boolean> {
  const { hash, kind, secret, sentTo, userId = null, expiresAt } = flow
  const { email, asker } = sentTo ?? { email: null, asker: null }
  const toAddress = sql`email = ${email} and kind = 'email'`
  const byAsker = sql`${toAddress} and asker = ${asker}`
  const isBelow = (limit: number, which: SQL, start: number): SQL =>
    sql`(select count(*) from login_flows where ${which} and created_at > ${start}) < ${limit}`
  // Columns stand in the order of the schema.
  const begin = db
    .insert(loginFlows)
    .select(
      sql`select ${hash}, ${kind}, ${email}, ${userId}, ${secret}, 0, ${now}, ${expiresAt}, null, ${asker}
        where ${email} is null or (${isBelow(PER_ASKER_AND_HOUR, byAsker, now - HOUR_MS)}
          and ${isBelow(PER_ASKER_AND_DAY, byAsker, now - DAY_MS)}
          and ${isBelow(PER_ADDRESS_AND_HOUR, toAddress, now - HOUR_MS)}
          and ${isBelow(PER_ADDRESS_AND_DAY, toAddress, now - DAY_MS)})`,
    )
    .returning({ hash: loginFlows.hash })
  const endOldest = db
    .update(loginFlows)
    .set({ expiresAt: now })
    .where(
      sql`${byAsker} and used_at is null and expires_at > ${now} and hash not in (
        select hash from login_flows where ${byAsker} order by created_at desc, rowid desc limit ${LIVE})`,
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
