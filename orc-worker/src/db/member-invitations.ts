import type { MemberRole } from '@daisi/protocol'
import { type SQL, and, eq, gt, inArray, isNull, sql } from 'drizzle-orm'
import { DAY_MS } from '../domain/time.ts'
import { newId } from '../domain/ids.ts'
import { rolesUpTo } from '../domain/roles.ts'
import type { Database, Statement } from './client.ts'
import { type MemberAuthority, stillHasRole } from './member-authority.ts'
import { memberInvitations, members } from './identity-schema.ts'
import { accounts } from './schema.ts'

const INVITATION_MS = 7 * DAY_MS

/** An invitation: whoever proves this address may join the account. */
export interface MemberInvitation {
  readonly id: string
  readonly accountId: string
  /** Lower case. */
  readonly email: string
  readonly role: MemberRole
  /** Id of the person, or of the account by its token. */
  readonly invitedBy: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

/** An invitation as the invited person sees it. */
export interface OwnInvitation {
  readonly id: string
  readonly account: { readonly id: string; readonly name: string }
  readonly role: MemberRole
  readonly expiresAt: number
}

/** A new invitation, not stored yet. */
export function newInvitation(
  { accountId, email, role, invitedBy }: Omit<MemberInvitation, 'id' | 'expiresAt'>,
  now: number,
): MemberInvitation {
  return { id: newId('inv'), accountId, email, role, invitedBy, expiresAt: now + INVITATION_MS }
}

/** What stores an invitation, for a batch. */
export function invitationStatement(db: Database, invitation: MemberInvitation, now: number): Statement {
  return db.insert(memberInvitations).values({ ...invitation, createdAt: now })
}

/**
 * Stores an invitation in place of open ones of the same address that who invites may take back. False if who invites has
 * lost the role that they came in with meanwhile.
 */
export async function invite(
  db: Database,
  invitation: MemberInvitation,
  by: MemberAuthority,
  now: number,
): Promise<boolean> {
  const { id, accountId, email, role, invitedBy, expiresAt } = invitation
  const replaced = db
    .update(memberInvitations)
    .set({ closedAt: now })
    .where(
      and(
        eq(memberInvitations.accountId, accountId),
        eq(memberInvitations.email, email),
        inArray(memberInvitations.role, rolesUpTo(by.role)),
        isNull(memberInvitations.closedAt),
        stillHasRole(accountId, by),
      ),
    )
  // Columns stand in the order of the schema.
  const made = db
    .insert(memberInvitations)
    .select(
      sql`select ${id}, ${accountId}, ${email}, ${role}, ${invitedBy}, ${now}, ${expiresAt}, null
        where ${stillHasRole(accountId, by)}`,
    )
    .returning({ id: memberInvitations.id })
  const [, rows] = await db.batch([replaced, made])
  return rows.length > 0
}

/** Invitations of an account that can still be accepted. */
export async function openInvitations(
  db: Database,
  accountId: string,
  now: number,
): Promise<MemberInvitation[]> {
  const { id, email, role, invitedBy, expiresAt, createdAt } = memberInvitations
  return db
    .select({ id, accountId: memberInvitations.accountId, email, role, invitedBy, expiresAt })
    .from(memberInvitations)
    .where(and(eq(memberInvitations.accountId, accountId), isOpen(now)))
    .orderBy(createdAt, id)
}

/** Takes back an invitation to one of these roles. False if there is none. */
export async function withdrawInvitation(
  db: Database,
  { id, accountId, roles }: { id: string; accountId: string; roles: readonly MemberRole[] },
  now: number,
): Promise<boolean> {
  const rows = await db
    .update(memberInvitations)
    .set({ closedAt: now })
    .where(
      and(
        eq(memberInvitations.id, id),
        eq(memberInvitations.accountId, accountId),
        inArray(memberInvitations.role, [...roles]),
        isOpen(now),
      ),
    )
    .returning({ id: memberInvitations.id })
  return rows.length > 0
}

/** Invitations that the person with this address may accept. */
export async function invitationsTo(db: Database, email: string, now: number): Promise<OwnInvitation[]> {
  const { id, role, expiresAt, createdAt } = memberInvitations
  return db
    .select({ id, account: { id: accounts.id, name: accounts.name }, role, expiresAt })
    .from(memberInvitations)
    .innerJoin(accounts, eq(accounts.id, memberInvitations.accountId))
    .where(and(eq(memberInvitations.email, email), isOpen(now)))
    .orderBy(createdAt, id)
}

/**
 * Accepts an invitation to this address. Who is a member already keeps their role. What they are then, or undefined if there
 * is no such invitation for them.
 */
export async function acceptInvitation(
  db: Database,
  { id, userId, email }: { id: string; userId: string; email: string },
  now: number,
): Promise<{ accountId: string; role: MemberRole } | undefined> {
  const isTheirs = and(eq(memberInvitations.id, id), eq(memberInvitations.email, email), isOpen(now))
  const join = db
    .insert(members)
    .select(sql`select account_id, ${userId}, role, ${now} from member_invitations where ${isTheirs}`)
    .onConflictDoNothing()
  const close = db
    .update(memberInvitations)
    .set({ closedAt: now })
    .where(isTheirs)
    .returning({ accountId: memberInvitations.accountId })
  const [, [closed]] = await db.batch([join, close])
  if (closed === undefined) return undefined
  const [member] = await db
    .select({ accountId: members.accountId, role: members.role })
    .from(members)
    .where(and(eq(members.accountId, closed.accountId), eq(members.userId, userId)))
  return member
}

function isOpen(now: number): SQL | undefined {
  return and(isNull(memberInvitations.closedAt), gt(memberInvitations.expiresAt, now))
}
