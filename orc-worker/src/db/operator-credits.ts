import { eq } from 'drizzle-orm'
import { adjustment } from '../domain/money/transfer.ts'
import { type Database, failedOn } from './client.ts'
import { type PostOutcome, postTransfers } from './ledger.ts'
import { freezes } from './book-schema.ts'
import { accounts } from './schema.ts'

/** Credits that an operator gives to an account or, negative, takes. */
export interface Adjustment {
  /** Business id: the same with the same content moves the credits once. */
  readonly id: string
  readonly accountId: string
  readonly amount: number
  readonly note: string
}

/** How much of an account's balance an operator lets nobody spend. */
export interface Freeze {
  readonly accountId: string
  /** Credits from now on; 0 releases. */
  readonly amount: number
  readonly note: string
  readonly operatorId: string
}

/** Why an adjustment was not written. `too_large`: a balance would no longer be a safe integer. */
export type AdjustOutcome = PostOutcome | 'unknown_account' | 'too_large'

/** Writes an adjustment at most once. Frozen credits can be taken, those in leases cannot. */
export async function adjustAccount(
  db: Database,
  { id, accountId, amount, note }: Adjustment,
  now: number,
): Promise<AdjustOutcome> {
  if (!(await isAccount(db, accountId))) return 'unknown_account'
  try {
    return await postTransfers(db, [adjustment(id, accountId, amount, note)], now)
  } catch (error) {
    if (failedOn(error, 'ledger_safe_integer')) return 'too_large'
    throw error
  }
}

/** Writes a freeze, which counts from then on. False if there is no such account. */
export async function freezeAccount(db: Database, freeze: Freeze, now: number): Promise<boolean> {
  if (!(await isAccount(db, freeze.accountId))) return false
  await db.insert(freezes).values({ ...freeze, createdAt: now })
  return true
}

// Accounts are never deleted, so that what is true here stays true for the write that follows.
async function isAccount(db: Database, accountId: string): Promise<boolean> {
  const rows = await db.select({ id: accounts.id }).from(accounts).where(eq(accounts.id, accountId))
  return rows.length > 0
}
