import type { MemberRole } from '@daisi/protocol'
import { type SQL, sql } from 'drizzle-orm'

/** Who changes the members of an account: a person by the role that they came in with, or a program with the account's token. */
export interface MemberAuthority {
  readonly role: MemberRole
  readonly userId: string | undefined
}

/** Holds while a person has the role that they came in with. Said in the write itself: who has lost it meanwhile changes nothing. */
export function stillHasRole(accountId: string, { role, userId }: MemberAuthority): SQL | undefined {
  if (userId === undefined) return undefined
  return sql`exists (select 1 from members own
    where own.account_id = ${accountId} and own.user_id = ${userId} and own.role = ${role})`
}
