import { eq, sql } from 'drizzle-orm'
import type { AuditReport, Balance } from '@daisi/protocol'
import { type Database, failedOn } from './client.ts'
import { ledgerAccounts, transfers } from './schema.ts'

/** One movement of credits. `id` is a business id: writing it twice moves the credits once. */
export interface Transfer {
  readonly id: string
  readonly debit: string
  readonly credit: string
  readonly amount: number
  readonly reason: 'grant' | 'lease' | 'release' | 'settle'
}

/** The system account that pays sign-up grants. It may be below zero. */
export const GRANT_ACCOUNT = 'sys_grant'

/**
 * Writes transfers, all or none, each at most once. `overdraft` if one would take an account below zero. Rejects when
 * the database does not answer: the caller may write the same transfers again.
 */
export async function postTransfers(
  db: Database,
  entries: readonly Transfer[],
  now: number,
): Promise<'posted' | 'overdraft'> {
  const [first, ...rest] = entries.map((entry) => db.insert(transfers).values({ ...entry, createdAt: now }))
  if (first === undefined) return 'posted'
  try {
    await db.batch([first, ...rest])
    return 'posted'
  } catch (error) {
    if (failedOn(error, 'ledger_no_overdraft')) return 'overdraft'
    throw error
  }
}

/** Makes sure that a Session's lease has an account in the book. */
export async function openLeaseAccount(db: Database, leaseId: string, ownerId: string): Promise<void> {
  await db.insert(ledgerAccounts).values({ id: leaseId, kind: 'lease', ownerId }).onConflictDoNothing()
}

/** Credits that an account can spend now. */
export async function availableBalance(db: Database, accountId: string): Promise<number> {
  const [row] = await db
    .select({ balance: ledgerAccounts.balance })
    .from(ledgerAccounts)
    .where(eq(ledgerAccounts.id, accountId))
  return row?.balance ?? 0
}

/** What an account holds: free, and reserved in leases of its Sessions. */
export async function readBalance(db: Database, accountId: string): Promise<Balance> {
  const [[own], [leases]] = await db.batch([
    db
      .select({ balance: ledgerAccounts.balance })
      .from(ledgerAccounts)
      .where(eq(ledgerAccounts.id, accountId)),
    db
      .select({ held: sql<number>`coalesce(sum(${ledgerAccounts.balance}), 0)` })
      .from(ledgerAccounts)
      .where(eq(ledgerAccounts.ownerId, accountId)),
  ])
  return { available: own?.balance ?? 0, held: leases?.held ?? 0 }
}

/** Recomputes the book from its transfers. Anything but zeros in the last three numbers is a fault. */
export async function auditBook(db: Database): Promise<AuditReport> {
  const row = await db.get<AuditReport>(sql`
    with moved as (
      select id, sum(amount) as total from (
        select credit as id, amount from transfers union all select debit as id, -amount from transfers
      ) group by id
    )
    select count(*) as accounts,
      (select count(*) from transfers) as transfers,
      coalesce(sum(balance), 0) as sum,
      coalesce(sum(balance <> coalesce(moved.total, 0)), 0) as drifted,
      coalesce(sum(balance < 0 and kind <> 'system'), 0) as overdrawn
    from ledger_accounts left join moved on moved.id = ledger_accounts.id`)
  return row
}
