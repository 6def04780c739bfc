import type { ReportRow } from '@daisi/protocol'
import { type SQL, sql } from 'drizzle-orm'
import { type DayRange, rangeMilliseconds } from '../domain/day-range.ts'
import type { Database } from './client.ts'

export type UsageGroup = 'app' | 'key' | 'model' | 'day'
export type EarningsGroup = 'host' | 'model' | 'day'

/** What one line of a report is about: its id, and its name where it has one. */
interface Grouping {
  readonly group: SQL
  readonly name: SQL
}

// A key or Host that cannot be found leaves its line without a name, never the sum without its line.
const USAGE: Readonly<Record<UsageGroup, Grouping>> = {
  app: { group: sql`coalesce(apps.id, '')`, name: sql`max(apps.name)` },
  key: { group: sql`lines.key_id`, name: sql`max(secret_keys.name)` },
  model: { group: sql`lines.model`, name: sql`null` },
  day: { group: sql`lines.day`, name: sql`null` },
}
const EARNINGS: Readonly<Record<EarningsGroup, Grouping>> = {
  host: { group: sql`lines.host_id`, name: sql`max(hosts.name)` },
  model: { group: sql`lines.model`, name: sql`null` },
  day: { group: sql`strftime('%Y-%m-%d', lines.hour / 1000, 'unixepoch')`, name: sql`null` },
}

const SUMS = sql`sum(lines.jobs) as jobs, sum(lines.prompt_tokens) as prompt_tokens,
  sum(lines.cached_tokens) as cached_tokens, sum(lines.generated_tokens) as generated_tokens,
  sum(lines.credits) as credits`

/** What an account's keys used in these days: at most `limit` lines, days in order, others by credits. */
export function usageReport(
  db: Database,
  accountId: string,
  by: UsageGroup,
  { from, to }: DayRange,
  limit: number,
): Promise<ReportRow[]> {
  const { group, name } = USAGE[by]
  return db.all<ReportRow>(sql`
    select ${group} as "group", ${name} as name, ${SUMS} from usage_daily lines
    left join secret_keys on secret_keys.id = lines.key_id
    left join apps on apps.id = secret_keys.app_id
    where lines.account_id = ${accountId} and lines.day between ${from} and ${to}
    group by 1 ${order(by)} limit ${limit}`)
}

/** What an account's Hosts did in these days, likewise. */
export function earningsReport(
  db: Database,
  accountId: string,
  by: EarningsGroup,
  range: DayRange,
  limit: number,
): Promise<ReportRow[]> {
  const { group, name } = EARNINGS[by]
  const { start, end } = rangeMilliseconds(range)
  return db.all<ReportRow>(sql`
    select ${group} as "group", ${name} as name, ${SUMS} from work_hourly lines
    left join hosts on hosts.id = lines.host_id
    where lines.account_id = ${accountId} and lines.hour >= ${start} and lines.hour < ${end}
    group by 1 ${order(by)} limit ${limit}`)
}

function order(by: UsageGroup | EarningsGroup): SQL {
  return by === 'day' ? sql`order by 1` : sql`order by credits desc, jobs desc, 1`
}
