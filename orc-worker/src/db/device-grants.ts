import { and, desc, eq, gt, inArray, lt, lte, sql } from 'drizzle-orm'
import type { DerivedKeys } from '../domain/derived-keys.ts'
import { readUserCode, userCodeMac } from '../domain/user-code.ts'
import { type Database, failedOn } from './client.ts'
import { deviceGrants } from './identity-schema.ts'
import { type MemberAuthority, stillHasRole } from './member-authority.ts'
import { standingOn } from './networks.ts'
import { hostEnrolments } from './schema.ts'

/** Seconds for which a grant may be decided and redeemed (`expires_in`, RFC 8628 §3.2). */
export const DEVICE_GRANT_SECONDS = 600
/** Seconds between two polls (`interval`), and what each poll that comes too soon adds to them (RFC 8628 §3.5). */
export const POLL_INTERVAL_SECONDS = 5
/** Seconds for which the enrolment token may be used that a grant is redeemed for. */
export const GRANTED_ENROLMENT_SECONDS = 600

/** Grants that strangers at one address, and all together, may have waiting. The oldest make room. */
const MAX_PER_ADDRESS = 20
const MAX_TOGETHER = 2_000
/** Rows that one request clears away at most. */
const MAX_CLEARED = 20

/** What a Host asks for, before anybody has said yes. */
export interface GrantRequest {
  /** SHA-256 of the device code. */
  readonly hash: string
  /** HMAC of the user code. */
  readonly userCodeMac: string
  readonly hostId: string
  readonly hostName: string
  readonly network: string
  /** Where the request came from. */
  readonly address: string
}

/** What the owner is shown before deciding (RFC 8628 §5.4). Times in milliseconds since the epoch. */
export interface DeviceGrant {
  readonly hostId: string
  readonly hostName: string
  readonly network: string
  readonly address: string
  readonly createdAt: number
  readonly expiresAt: number
}

/** What became of a decision. `not_found`: the code is wrong, expired, or decided already, or who decides has lost their role meanwhile. */
export type DeviceDecision =
  | { readonly ok: true; readonly grant: DeviceGrant }
  | { readonly ok: false; readonly reason: 'not_found' }
  | { readonly ok: false; readonly reason: 'network_not_allowed'; readonly grant: DeviceGrant }

/** What a poll is answered: the codes of RFC 8628 §3.5, or `redeemed` with the account's enrolment in place. */
export type PollResult =
  | 'redeemed'
  | 'authorization_pending'
  | 'slow_down'
  | 'access_denied'
  | 'expired_token'
  | 'invalid_grant'

const SHOWN = {
  hostId: deviceGrants.hostId,
  hostName: deviceGrants.hostName,
  network: deviceGrants.network,
  address: deviceGrants.address,
  createdAt: deviceGrants.createdAt,
  expiresAt: deviceGrants.expiresAt,
}

/**
 * Notes a grant that waits for its owner. Strangers may ask for these, so there is only so much room: what expired goes
 * first, then the oldest of this address, then the oldest that is still undecided. False if the user code is taken.
 */
export async function createDeviceGrant(db: Database, request: GrantRequest, now: number): Promise<boolean> {
  const { hash } = deviceGrants
  const expired = db
    .select({ hash })
    .from(deviceGrants)
    .where(lte(deviceGrants.expiresAt, now))
    .orderBy(deviceGrants.expiresAt)
    .limit(MAX_CLEARED)
  const beyondAddress = db
    .select({ hash })
    .from(deviceGrants)
    .where(and(eq(deviceGrants.address, request.address), eq(deviceGrants.status, 'pending')))
    .orderBy(desc(deviceGrants.createdAt))
    .limit(MAX_CLEARED)
    .offset(MAX_PER_ADDRESS - 1)
  const isFull = sql`(select count(*) from ${deviceGrants}) >= ${MAX_TOGETHER}`
  const oldest = db
    .select({ hash })
    .from(deviceGrants)
    .where(and(eq(deviceGrants.status, 'pending'), isFull))
    .orderBy(deviceGrants.expiresAt)
    .limit(1)
  try {
    await db.batch([
      db.delete(deviceGrants).where(inArray(hash, expired)),
      db.delete(deviceGrants).where(inArray(hash, beyondAddress)),
      db.delete(deviceGrants).where(inArray(hash, oldest)),
      db.insert(deviceGrants).values({
        ...request,
        status: 'pending',
        intervalSeconds: POLL_INTERVAL_SECONDS,
        createdAt: now,
        expiresAt: now + DEVICE_GRANT_SECONDS * 1000,
      }),
    ])
    return true
  } catch (error) {
    if (failedOn(error, 'device_grants.user_code_mac')) return false
    throw error
  }
}

/** The undecided grant with this user code, however it was typed. */
export async function findDeviceGrant(
  db: Database,
  keys: Pick<DerivedKeys, 'userCodeMac'>,
  userCode: string,
  now: number,
): Promise<DeviceGrant | undefined> {
  const letters = readUserCode(userCode)
  if (letters === undefined) return undefined
  const mac = await userCodeMac(letters, keys.userCodeMac)
  const [grant] = await db.select(SHOWN).from(deviceGrants).where(isOpen(mac, now))
  return grant
}

/** Lets the Host in for this account, or sends it away. A grant is decided once. */
export async function decideDeviceGrant(
  db: Database,
  keys: Pick<DerivedKeys, 'userCodeMac'>,
  userCode: string,
  decision: { readonly accountId: string; readonly by: MemberAuthority; readonly approve: boolean },
  now: number,
): Promise<DeviceDecision> {
  const { accountId, by, approve } = decision
  const found = await findDeviceGrant(db, keys, userCode, now)
  const letters = readUserCode(userCode)
  if (found === undefined || letters === undefined) return { ok: false, reason: 'not_found' }
  if (approve && (await standingOn(db, accountId, found.network)) === undefined)
    return { ok: false, reason: 'network_not_allowed', grant: found }
  const mac = await userCodeMac(letters, keys.userCodeMac)
  const [grant] = await db
    .update(deviceGrants)
    .set({ status: approve ? 'approved' : 'denied', accountId, issuedBy: by.userId ?? null })
    // The Host that was looked at is the one that is let in.
    .where(and(isOpen(mac, now), eq(deviceGrants.hostId, found.hostId), stillHasRole(accountId, by)))
    .returning(SHOWN)
  return grant === undefined ? { ok: false, reason: 'not_found' } : { ok: true, grant }
}

/**
 * One poll by the Host. An approved grant is redeemed in the same transaction that makes its enrolment, so that of two
 * polls at once one gets it and none is lost between. `tokenHash` is the hash of the enrolment token to hand out.
 */
export async function pollDeviceGrant(
  db: Database,
  hash: string,
  tokenHash: string,
  now: number,
): Promise<PollResult> {
  const polled = eq(deviceGrants.hash, hash)
  const live = and(polled, gt(deviceGrants.expiresAt, now))
  const approved = and(live, eq(deviceGrants.status, 'approved'))
  const waiting = and(live, eq(deviceGrants.status, 'pending'))
  const next = sql`${deviceGrants.polledAt} + ${deviceGrants.intervalSeconds} * 1000`
  const enrolment = db
    .select({
      hash: sql`${tokenHash}`.as('hash'),
      accountId: sql`${deviceGrants.accountId}`.as('account_id'),
      network: deviceGrants.network,
      createdAt: sql`${now}`.as('created_at'),
      expiresAt: sql`${now + GRANTED_ENROLMENT_SECONDS * 1000}`.as('expires_at'),
      forHostId: sql`${deviceGrants.hostId}`.as('for_host_id'),
      hostId: sql`null`.as('host_id'),
      issuedBy: sql`${deviceGrants.issuedBy}`.as('issued_by'),
    })
    .from(deviceGrants)
    .where(approved)
  const [, redeemed, early, , [grant]] = await db.batch([
    db.insert(hostEnrolments).select(enrolment),
    db
      .update(deviceGrants)
      .set({ status: 'redeemed' })
      .where(approved)
      .returning({ hash: deviceGrants.hash }),
    db
      .update(deviceGrants)
      .set({
        polledAt: now,
        intervalSeconds: sql`${deviceGrants.intervalSeconds} + ${POLL_INTERVAL_SECONDS}`,
      })
      .where(and(waiting, lt(sql`${now}`, next)))
      .returning({ hash: deviceGrants.hash }),
    db
      .update(deviceGrants)
      .set({ polledAt: now })
      .where(and(waiting, lte(next, now))),
    db
      .select({ status: deviceGrants.status, expiresAt: deviceGrants.expiresAt })
      .from(deviceGrants)
      .where(polled),
  ])
  if (redeemed.length > 0) return 'redeemed'
  if (early.length > 0) return 'slow_down'
  // This Orc made the code. A grant that is gone has expired, or made room for others.
  if (grant === undefined) return 'expired_token'
  if (grant.status === 'redeemed') return 'invalid_grant'
  if (grant.status === 'denied') return 'access_denied'
  return grant.expiresAt > now ? 'authorization_pending' : 'expired_token'
}

function isOpen(mac: string, now: number): ReturnType<typeof and> {
  return and(
    eq(deviceGrants.userCodeMac, mac),
    eq(deviceGrants.status, 'pending'),
    gt(deviceGrants.expiresAt, now),
  )
}
