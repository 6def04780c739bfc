import type { MemberRole } from '@daisi/protocol'
import { type SQL, and, eq, inArray, sql } from 'drizzle-orm'
import { rolesUpTo } from '../domain/roles.ts'
import type { Account } from './accounts.ts'
import type { Database } from './client.ts'
import { members, users } from './identity-schema.ts'
import { endUncovered } from './issued.ts'
import { type MemberAuthority, stillHasRole } from './member-authority.ts'
import { accounts } from './schema.ts'

/** What a person is in an account. */
export interface Membership {
  readonly account: Account
  readonly role: MemberRole
}

/** Somebody who may act for an account. */
export interface Member {
  readonly userId: string
  readonly name: string
  readonly email: string | null
  readonly role: MemberRole
  /** Milliseconds since the epoch. */
  readonly createdAt: number
}

/** Which membership is changed, and by whom. */
export interface MemberTarget {
  readonly accountId: string
  readonly userId: string
  readonly by: MemberAuthority
}

/** `above`: the member's role is above that of who asks, or the new one would be. */
export type MemberOutcome = 'done' | 'unknown' | 'above' | 'last_owner'

/** What a person is in this account, or in each of theirs. A person who is no member and an account that does not exist look alike. */
export async function membershipsOf(
  db: Database,
  userId: string,
  accountId: string | undefined,
): Promise<Membership[]> {
  const { id, name, operator } = accounts
  const which = accountId === undefined ? undefined : eq(members.accountId, accountId)
  return db
    .select({ account: { id, name, operator }, role: members.role })
    .from(members)
    .innerJoin(accounts, eq(accounts.id, members.accountId))
    .where(and(eq(members.userId, userId), which))
    .orderBy(members.createdAt, members.accountId)
}

/** Members of this account, those that have been there longest first. */
export async function listMembers(db: Database, accountId: string): Promise<Member[]> {
  const { userId, role, createdAt } = members
  return db
    .select({ userId, name: users.name, email: users.email, role, createdAt })
    .from(members)
    .innerJoin(users, eq(users.id, userId))
    .where(eq(members.accountId, accountId))
    .orderBy(createdAt, userId)
}

/** Gives a member another role. What they issued and it does not cover ends. */
export async function changeMemberRole(
  db: Database,
  target: MemberTarget,
  role: MemberRole,
  now: number,
): Promise<MemberOutcome> {
  const mayGive = rolesUpTo(target.by.role)
  if (!mayGive.includes(role)) return 'above'
  const change = db
    .update(members)
    .set({ role })
    .where(and(isMember(target), role === 'owner' ? undefined : leavesAnOwner(target), isManagedBy(target)))
    .returning({ userId: members.userId })
  const [changed] = await db.batch([change, ...endUncovered(db, target.accountId, target.userId, now)])
  return changed.length > 0 ? 'done' : refusal(db, target)
}

/** Takes a member out of an account, with all that they issued; oneself always, but for the last owner. */
export async function removeMember(db: Database, target: MemberTarget, now: number): Promise<MemberOutcome> {
  const isOneself = target.by.userId === target.userId
  const removal = db
    .delete(members)
    .where(and(isMember(target), leavesAnOwner(target), isOneself ? undefined : isManagedBy(target)))
    .returning({ userId: members.userId })
  const [removed] = await db.batch([removal, ...endUncovered(db, target.accountId, target.userId, now)])
  return removed.length > 0 ? 'done' : refusal(db, target)
}

function isMember({ accountId, userId }: MemberTarget): SQL | undefined {
  return and(eq(members.accountId, accountId), eq(members.userId, userId))
}

// Said in the write itself: of two at once that would leave no owner, the second changes nothing.
function leavesAnOwner({ accountId }: MemberTarget): SQL {
  return sql`(${members.role} <> 'owner' or
    (select count(*) from members other where other.account_id = ${accountId} and other.role = 'owner') > 1)`
}

function isManagedBy({ accountId, by }: MemberTarget): SQL | undefined {
  return and(inArray(members.role, rolesUpTo(by.role)), stillHasRole(accountId, by))
}

async function refusal(db: Database, target: MemberTarget): Promise<MemberOutcome> {
  const rows = await listMembers(db, target.accountId)
  const member = rows.find(({ userId }) => userId === target.userId)
  if (member === undefined) return 'unknown'
  const isManageable = target.by.userId === target.userId || rolesUpTo(target.by.role).includes(member.role)
  const isLastOwner = member.role === 'owner' && rows.filter(({ role }) => role === 'owner').length === 1
  return isManageable && isLastOwner ? 'last_owner' : 'above'
}
