import type { MemberRole } from '@daisi/protocol'
import { type SQL, sql } from 'drizzle-orm'

/** Who acts for an account: a person by the role that they came in with, or a program with the token of this hash. */
export type MemberAuthority =
  | { readonly role: MemberRole; readonly userId: string }
  | { readonly role: 'owner'; readonly userId?: undefined; readonly tokenHash: string }

/**
 * Holds while a person has the role that they came in with, or while the token is the account's. Said in the write itself: who
 * has lost it meanwhile changes nothing, and leaves no way back in.
 */
export function stillHasRole(accountId: string, by: MemberAuthority): SQL {
  if (by.userId === undefined)
    return sql`exists (select 1 from accounts own
      where own.id = ${accountId} and own.token_hash = ${by.tokenHash})`
  return sql`exists (select 1 from members own
    where own.account_id = ${accountId} and own.user_id = ${by.userId} and own.role = ${by.role})`
}
