import type { BudgetPeriod } from '@daisi/protocol'
import { DAY_MS, utcDay } from './time.ts'

/**
 * First day of the period that a time lies in, as YYYY-MM-DD in UTC; weeks begin on Monday. Empty, which is before every day, for a
 * budget that never starts anew. `migrations/0003_identity_and_networks.sql` says the same in SQL.
 */
export function periodStart(period: BudgetPeriod | null, now: number): string {
  return period === null ? '' : utcDay(startOf(period, now))
}

/** When the next period begins, in milliseconds since the epoch; null for never. */
export function periodEnd(period: BudgetPeriod | null, now: number): number | null {
  if (period === null) return null
  const start = new Date(startOf(period, now))
  if (period === 'month') return Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + 1)
  return start.getTime() + (period === 'day' ? 1 : 7) * DAY_MS
}

function startOf(period: BudgetPeriod, now: number): number {
  const time = new Date(now)
  const [year, month, day] = [time.getUTCFullYear(), time.getUTCMonth(), time.getUTCDate()]
  if (period === 'month') return Date.UTC(year, month)
  // Sunday is 0.
  const sinceMonday = (time.getUTCDay() + 6) % 7
  return Date.UTC(year, month, period === 'day' ? day : day - sinceMonday)
}
