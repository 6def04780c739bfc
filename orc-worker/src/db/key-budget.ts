import type { BudgetPeriod } from '@daisi/protocol'
import { type SQL, eq, sql } from 'drizzle-orm'
import { periodEnd, periodStart } from '../domain/budget-period.ts'
import { ledgerAccounts } from './book-schema.ts'
import type { Database } from './client.ts'
import { secretKeys } from './schema.ts'

/** What a key may spend and what it has spent. */
export interface KeyBudget {
  readonly credits: number
  readonly period: BudgetPeriod | null
  /** Credits settled in the present period. */
  readonly spent: number
  /** Credits in the leases of its Sessions. */
  readonly held: number
  /** When the next period begins, in milliseconds since the epoch; null for never. */
  readonly resetsAt: number | null
}

/** What a Session can move into its lease now. */
export interface Spendable {
  readonly credits: number
  /** The key's budget, where it allows less than the account has. */
  readonly limit: KeyBudget | undefined
}

/** Columns of a query over `secret_keys` that tell how the key's budget stands. The trigger `transfers_key_budget` counts alike. */
export function budgetColumns(now: number): { readonly spent: SQL<number>; readonly held: SQL<number> } {
  return {
    spent: sql<number>`(select coalesce(sum(used.credits), 0) from apps owner join usage_daily used
      on used.account_id = owner.account_id and used.key_id = ${secretKeys.id} and used.day >= ${startOfPeriod(now)}
      where owner.id = ${secretKeys.appId})`,
    held: sql<number>`(select coalesce(sum(lease.balance), 0) from ledger_accounts lease where lease.key_id = ${secretKeys.id})`,
  }
}

/** The budget in a row that has these columns. */
export function budgetOf(
  row: {
    readonly budget: number | null
    readonly period: BudgetPeriod | null
    readonly spent: number
    readonly held: number
  },
  now: number,
): KeyBudget | undefined {
  const { budget, period, spent, held } = row
  if (budget === null) return undefined
  return { credits: budget, period, spent, held, resetsAt: periodEnd(period, now) }
}

/** What a Session of this account and key can move into its lease now: what the account has, within the key's budget. */
export async function readSpendable(
  db: Database,
  { accountId, keyId }: { readonly accountId: string; readonly keyId: string },
  now: number,
): Promise<Spendable> {
  const { balance, frozen, id } = ledgerAccounts
  const [row] = await db
    .select({
      balance,
      frozen,
      budget: secretKeys.budget,
      period: secretKeys.budgetPeriod,
      ...budgetColumns(now),
    })
    .from(ledgerAccounts)
    .leftJoin(secretKeys, eq(secretKeys.id, keyId))
    .where(eq(id, accountId))
  if (row === undefined) return { credits: 0, limit: undefined }
  const ofAccount = row.balance - Math.min(row.balance, row.frozen)
  const limit = budgetOf(row, now)
  if (limit === undefined) return { credits: ofAccount, limit: undefined }
  const left = Math.max(0, limit.credits - limit.spent - limit.held)
  return left < ofAccount ? { credits: left, limit } : { credits: ofAccount, limit: undefined }
}

function startOfPeriod(now: number): SQL {
  const { budgetPeriod } = secretKeys
  return sql`case ${budgetPeriod} when 'day' then ${periodStart('day', now)} when 'week' then ${periodStart('week', now)}
    when 'month' then ${periodStart('month', now)} else '' end`
}
