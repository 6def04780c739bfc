import { and, countDistinct, desc, eq, gte, lt, min, sql } from 'drizzle-orm'
import { MAX_FLOWS, MIN_FLOW_CREDITS, flowsSince } from '../domain/anomalies/circular-flow.ts'
import { MIN_JOBS, countsSince } from '../domain/anomalies/inflated-counts.ts'
import type { Activity } from '../domain/anomalies/scan.ts'
import { MIN_SPIKE_TOKENS, volumeWindow } from '../domain/anomalies/volume-spike.ts'
import type { Database } from './client.ts'
import { transfers, workHourly } from './book-schema.ts'

/** Hosts and models compared in one scan, those with the most Jobs first. */
const MAX_COUNTS = 5_000
/** Hosts whose last hour is compared with their past, the largest first. */
const MAX_VOLUMES = 1_000
/** The newest payments in which circles are looked for: a scan reads no more of them, however many a day has. */
const MAX_PAYMENTS = 50_000

/** What was settled lately, for the scan: never more rows than the limits above, whatever the Orc's size. */
export async function readActivity(db: Database, now: number): Promise<Activity> {
  const [counts, volumes, flows] = await db.batch([
    countsQuery(db, now),
    volumesQuery(db, now),
    flowsQuery(db, now),
  ])
  return { counts, volumes, flows }
}

function countsQuery(db: Database, now: number) {
  const jobs = sql<number>`sum(${workHourly.jobs})`
  return db
    .select({
      hostId: workHourly.hostId,
      accountId: sql<string>`max(${workHourly.accountId})`,
      network: workHourly.network,
      model: workHourly.model,
      jobs,
      promptTokens: sql<number>`sum(${workHourly.promptTokens})`,
      promptBytes: sql<number>`sum(${workHourly.promptBytes})`,
      generatedTokens: sql<number>`sum(${workHourly.generatedTokens})`,
      textBytes: sql<number>`sum(${workHourly.textBytes})`,
    })
    .from(workHourly)
    .where(gte(workHourly.hour, countsSince(now)))
    .groupBy(workHourly.hostId, workHourly.network, workHourly.model)
    .having(gte(jobs, MIN_JOBS))
    .orderBy(desc(jobs))
    .limit(MAX_COUNTS)
}

function volumesQuery(db: Database, now: number) {
  const { since, hour } = volumeWindow(now)
  const worked = sql<number>`sum(${workHourly.promptTokens} - ${workHourly.cachedTokens} + ${workHourly.generatedTokens})`
  // Only the past of Hosts with a large hour is read, by the primary key.
  const large = db
    .select({ hostId: workHourly.hostId, tokens: sql<number>`${worked}`.as('tokens') })
    .from(workHourly)
    .where(eq(workHourly.hour, hour))
    .groupBy(workHourly.hostId)
    .having(gte(worked, MIN_SPIKE_TOKENS))
    .orderBy(desc(worked))
    .limit(MAX_VOLUMES)
    .as('large')
  return db
    .select({
      hostId: large.hostId,
      tokens: large.tokens,
      earlierTokens: sql<number>`coalesce(${worked}, 0)`,
      earlierHours: countDistinct(workHourly.hour),
      firstHour: min(workHourly.hour),
    })
    .from(large)
    .leftJoin(
      workHourly,
      and(eq(workHourly.hostId, large.hostId), gte(workHourly.hour, since), lt(workHourly.hour, hour)),
    )
    .groupBy(large.hostId)
}

function flowsQuery(db: Database, now: number) {
  const newest = db
    .select({ payer: transfers.payer, payee: transfers.payee, amount: transfers.amount })
    .from(transfers)
    .where(and(sql`${transfers.reason} = 'settle'`, gte(transfers.createdAt, flowsSince(now))))
    .orderBy(desc(transfers.createdAt))
    .limit(MAX_PAYMENTS)
    .as('newest')
  const credits = sql<number>`sum(${newest.amount})`
  return db
    .select({ payer: newest.payer, payee: newest.payee, credits })
    .from(newest)
    .groupBy(newest.payer, newest.payee)
    .having(gte(credits, MIN_FLOW_CREDITS))
    .orderBy(desc(credits))
    .limit(MAX_FLOWS)
}
