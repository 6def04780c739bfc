import type { MemberRole } from '@daisi/protocol'
import { type SQL, type SQLWrapper, and, eq, gt, inArray, isNull, sql } from 'drizzle-orm'
import { hashOfNothing } from '../domain/credential.ts'
import { OPERATOR_ACCOUNT } from '../domain/ids.ts'
import { ISSUER_ROLE, rolesFrom } from '../domain/roles.ts'
import type { Database, Statement } from './client.ts'
import { deviceGrants, memberInvitations } from './identity-schema.ts'
import { hostTransfers, networkInvitations, networks } from './network-schema.ts'
import { accounts, hostEnrolments } from './schema.ts'

// Invitations, offers and tokens outlive the request that made them. What somebody may no longer give out is taken back in the
// same transaction that takes their role: who is sent away does not come back by what they left behind.

/** Tells what ends: by who issued it (null: the account's token), and by what `own.role` must be to keep it. */
type Ends = (issuedBy: SQLWrapper, isCovered: SQL) => SQL

/**
 * What ends all that a person issued for an account and their role no longer covers; with a token that they made, all that was
 * issued by it too. For a batch, after the statement that changes the role.
 */
export function endUncovered(db: Database, accountId: string, userId: string, now: number): Statement[] {
  const lacks = (isCovered: SQL): SQL => sql`not exists (select 1 from members own
    where own.account_id = ${accountId} and own.user_id = ${userId} and ${isCovered})`
  const tokenEnds = and(isTokenBy(accountId, userId), lacks(isAtLeast(ISSUER_ROLE.accountToken)))
  return [
    ...endIssued(
      db,
      accountId,
      (issuedBy, isCovered) =>
        sql`((${issuedBy} = ${userId} and ${lacks(isCovered)}) or (${issuedBy} is null and ${tokenEnds}))`,
      now,
    ),
    endToken(db, accountId, tokenEnds),
  ]
}

/** What ends all that was issued by an account's token if this holds. For a batch, after the token was replaced. */
export function endIssuedByToken(db: Database, accountId: string, holds: SQL, now: number): Statement[] {
  return endIssued(db, accountId, (issuedBy) => sql`(${issuedBy} is null and ${holds})`, now)
}

/** What ends the operators' token if somebody made it who is no operator. For a batch, after their grant was taken back. */
export function endOperatorToken(db: Database, userId: string, now: number): Statement[] {
  const ends = sql`(${isTokenBy(OPERATOR_ACCOUNT, userId)}
    and not exists (select 1 from operators own where own.user_id = ${userId}))`
  return [...endIssuedByToken(db, OPERATOR_ACCOUNT, ends, now), endToken(db, OPERATOR_ACCOUNT, ends)]
}

function isTokenBy(accountId: string, userId: string): SQL {
  return sql`exists (select 1 from accounts issued
    where issued.id = ${accountId} and issued.token_issued_by = ${userId})`
}

function isAtLeast(needed: MemberRole): SQL {
  return sql`own.role in ${rolesFrom(needed)}`
}

function endToken(db: Database, accountId: string, holds: SQL | undefined): Statement {
  return db
    .update(accounts)
    .set({ tokenHash: hashOfNothing() })
    .where(and(eq(accounts.id, accountId), holds))
}

function endIssued(db: Database, accountId: string, ends: Ends, now: number): Statement[] {
  const invitedBy = sql`nullif(${memberInvitations.invitedBy}, ${accountId})`
  const mayInvite = sql`(own.role = 'owner' or (own.role = 'admin' and ${memberInvitations.role} <> 'owner'))`
  const ownNetworks = db
    .select({ name: networks.name })
    .from(networks)
    .where(eq(networks.accountId, accountId))
  return [
    db
      .update(memberInvitations)
      .set({ closedAt: now })
      .where(
        and(
          eq(memberInvitations.accountId, accountId),
          isNull(memberInvitations.closedAt),
          ends(invitedBy, mayInvite),
        ),
      ),
    db
      .update(networkInvitations)
      .set({ closedAt: now })
      .where(
        and(
          inArray(networkInvitations.network, ownNetworks),
          isNull(networkInvitations.closedAt),
          ends(networkInvitations.issuedBy, isAtLeast(ISSUER_ROLE.networkInvitation)),
        ),
      ),
    db
      .update(hostTransfers)
      .set({ usedAt: now })
      .where(
        and(
          eq(hostTransfers.accountId, accountId),
          isNull(hostTransfers.usedAt),
          ends(hostTransfers.issuedBy, isAtLeast(ISSUER_ROLE.hostTransfer)),
        ),
      ),
    // Used ones too: the same Host could show one again (rule C3).
    db
      .update(hostEnrolments)
      .set({ expiresAt: 0 })
      .where(
        and(
          eq(hostEnrolments.accountId, accountId),
          gt(hostEnrolments.expiresAt, now),
          ends(hostEnrolments.issuedBy, isAtLeast(ISSUER_ROLE.enrolment)),
        ),
      ),
    db
      .update(deviceGrants)
      .set({ status: 'denied' })
      .where(
        and(
          eq(deviceGrants.accountId, accountId),
          eq(deviceGrants.status, 'approved'),
          ends(deviceGrants.issuedBy, isAtLeast(ISSUER_ROLE.deviceApproval)),
        ),
      ),
  ]
}
