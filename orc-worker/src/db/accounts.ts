import { eq } from 'drizzle-orm'
import { grant as grantTransfer } from '../domain/money/transfer.ts'
import type { Database } from './client.ts'
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

/** Creates an account with its place in the book and its sign-up grant, all or nothing. */
export async function createAccount(
  db: Database,
  account: NewAccount,
  grant: number,
  now: number,
): Promise<void> {
  const entry = db.insert(accounts).values({ ...account, createdAt: now })
  const book = db.insert(ledgerAccounts).values({ id: account.id, kind: 'account' })
  if (grant === 0) {
    await db.batch([entry, book])
    return
  }
  const paid = { ...grantTransfer(account.id, grant), createdAt: now }
  await db.batch([entry, book, db.insert(transfers).values(paid)])
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
