import { and, eq } from 'drizzle-orm'
import { grant as grantTransfer } from '../domain/money/transfer.ts'
import type { Database, Statement } from './client.ts'
import { type MemberAuthority, stillHasRole } from './member-authority.ts'
import { closeInvitationsByToken, invitationStatement, type MemberInvitation } from './member-invitations.ts'
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
 * Gives an account another token. The one before is dead at once, and invitations that were made with it as well. False if a
 * person has lost the role that they came in with meanwhile.
 */
export async function replaceToken(
  db: Database,
  { accountId, tokenHash, by }: { accountId: string; tokenHash: string; by: MemberAuthority },
  now: number,
): Promise<boolean> {
  const replace = db
    .update(accounts)
    .set({ tokenHash })
    .where(and(eq(accounts.id, accountId), stillHasRole(accountId, by)))
    .returning({ id: accounts.id })
  const [replaced] = await db.batch([replace, closeInvitationsByToken(db, accountId, now)])
  return replaced.length > 0
}
