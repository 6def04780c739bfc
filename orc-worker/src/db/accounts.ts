import { and, eq, sql } from 'drizzle-orm'
import { grant as grantTransfer } from '../domain/money/transfer.ts'
import type { Database, Statement } from './client.ts'
import { endIssuedByToken } from './issued.ts'
import { type MemberAuthority, stillHasRole } from './member-authority.ts'
import { invitationStatement, type MemberInvitation } from './member-invitations.ts'
import { ledgerAccounts, transfers } from './book-schema.ts'
import { accounts } from './schema.ts'

/** An account as the management routes see it. */
export interface Account {
  readonly id: string
  readonly name: string
  readonly operator: boolean
}

interface NewAccount extends Account {
  readonly tokenHash: string
}

/** Creates an account with its place in the book, its sign-up grant, and an invitation if there is one, all or nothing. */
export async function createAccount(
  db: Database,
  account: NewAccount,
  grant: number,
  now: number,
  invitation?: MemberInvitation,
): Promise<void> {
  const invited = invitation === undefined ? [] : [invitationStatement(db, invitation, now)]
  await db.batch([...accountStatements(db, account, grant, now), ...invited])
}

/** What creates an account, its place in the book and its sign-up grant, for a batch. */
export function accountStatements(
  db: Database,
  account: NewAccount,
  grant: number,
  now: number,
): [Statement, ...Statement[]] {
  const entry = db.insert(accounts).values({ ...account, createdAt: now })
  const book = db.insert(ledgerAccounts).values({ id: account.id, kind: 'account' })
  if (grant === 0) return [entry, book]
  const paid = { ...grantTransfer(account.id, grant), createdAt: now }
  return [entry, book, db.insert(transfers).values(paid)]
}

/** True if an operator account exists, that is, if the Orc has been set up. */
export async function hasOperator(db: Database): Promise<boolean> {
  const rows = await db.select({ id: accounts.id }).from(accounts).where(eq(accounts.operator, true)).limit(1)
  return rows.length > 0
}

/** The account that a token manages. */
export async function findAccountByToken(db: Database, tokenHash: string): Promise<Account | undefined> {
  const [row] = await db
    .select({ id: accounts.id, name: accounts.name, operator: accounts.operator })
    .from(accounts)
    .where(eq(accounts.tokenHash, tokenHash))
  return row
}

/** The account with this id. */
export async function findAccount(db: Database, id: string): Promise<Account | undefined> {
  const [row] = await db
    .select({ id: accounts.id, name: accounts.name, operator: accounts.operator })
    .from(accounts)
    .where(eq(accounts.id, id))
  return row
}

/**
 * Gives an account another token. The one before is dead at once, with all that was issued by it. False if who asks has lost
 * the role that they came in with meanwhile, or asks for the operators' token and is no operator.
 */
export async function replaceToken(
  db: Database,
  { accountId, tokenHash, by }: { accountId: string; tokenHash: string; by: MemberAuthority },
  now: number,
): Promise<boolean> {
  // The operators' token makes operators: membership alone, even an owner's, does not reach it.
  const isOperators = sql`exists (select 1 from accounts reserved where reserved.id = ${accountId} and reserved.operator = 1)`
  const mayReplace =
    by.userId === undefined
      ? stillHasRole(accountId, by)
      : sql`(${stillHasRole(accountId, by)} and (not ${isOperators}
          or exists (select 1 from operators where operators.user_id = ${by.userId})))`
  const replace = db
    .update(accounts)
    // One that a token makes is still its maker's: it does not outlive them either.
    .set({ tokenHash, ...(by.userId === undefined ? {} : { tokenIssuedBy: by.userId }) })
    .where(and(eq(accounts.id, accountId), mayReplace))
    .returning({ id: accounts.id })
  const isReplaced = stillHasRole(accountId, { role: 'owner', tokenHash })
  const [replaced] = await db.batch([replace, ...endIssuedByToken(db, accountId, isReplaced, now)])
  return replaced.length > 0
}
