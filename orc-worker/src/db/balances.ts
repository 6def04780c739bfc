import { eq } from 'drizzle-orm'
import type { BalanceView } from '@daisi/protocol'
import type { Database } from './client.ts'
import { ledgerAccounts } from './book-schema.ts'

/** What an account has. All zero for one that is not in the book. */
export async function readBalance(db: Database, accountId: string): Promise<BalanceView> {
  const [row] = await db
    .select({
      balance: ledgerAccounts.balance,
      held: ledgerAccounts.held,
      frozen: ledgerAccounts.frozen,
      earned: ledgerAccounts.earned,
      spent: ledgerAccounts.spent,
    })
    .from(ledgerAccounts)
    .where(eq(ledgerAccounts.id, accountId))
  if (row === undefined) return { available: 0, held: 0, frozen: 0, earned: 0, spent: 0 }
  const { balance, held, earned, spent } = row
  const frozen = Math.min(balance, row.frozen)
  return { available: balance - frozen, held, frozen, earned, spent }
}
