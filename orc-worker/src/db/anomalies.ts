import { type SQL, and, asc, desc, eq, lt, sql } from 'drizzle-orm'
import type { AnomalyKind, AnomalyStatus } from '@daisi/protocol'
import type { Sighting } from '../domain/anomalies/sighting.ts'
import { newId } from '../domain/ids.ts'
import type { Database } from './client.ts'
import { anomalies, anomalyEvidence } from './book-schema.ts'

/** Sightings kept with one record. More would tell an operator nothing new, and a hostile Host could fill the database. */
const MAX_EVIDENCE = 50
/** Sightings written in one batch: with a signed receipt each they stay far below the size that D1 takes. */
const MAX_ROWS = 100

/** What an operator is to look at. Times are milliseconds since the epoch. */
export interface AnomalyRecord {
  readonly sequence: number
  readonly id: string
  readonly kind: AnomalyKind
  readonly subject: string
  readonly status: AnomalyStatus
  readonly sightings: number
  readonly openedAt: number
  readonly lastSeenAt: number
  readonly reviewedAt: number | null
  readonly note: string | null
}

/** One sighting of a record. */
export type Evidence = Pick<Sighting, 'id' | 'seenAt' | 'detail'>

/**
 * Notes sightings, at most once each: one that stands in a reviewed record does not open it again. A new one joins the open
 * record of its kind and subject, or opens one. Beyond `MAX_EVIDENCE` only the time of the last one is kept.
 */
export async function recordSightings(db: Database, sightings: readonly Sighting[]): Promise<void> {
  for (let start = 0; start < sightings.length; start += MAX_ROWS) {
    const unseen = unseenOf(sightings.slice(start, start + MAX_ROWS))
    // The evidence comes last: what is unseen is told by its absence.
    await db.batch([openRecords(db, unseen), advanceRecords(db, unseen), addEvidence(db, unseen)])
  }
}

/** What a select starts with, one parameter for all sightings: D1 takes at most 100. */
function unseenOf(sightings: readonly Sighting[]): SQL {
  const rows = sightings.map((sighting) => ({ ...sighting, newRecord: newId('ano') }))
  return sql`
    with sighting as (
      select min(key) as place, value ->> 'id' as id, value ->> 'kind' as kind, value ->> 'subject' as subject,
        value ->> 'seenAt' as seen_at, value -> 'detail' as detail, value ->> 'newRecord' as new_record
      from json_each(${JSON.stringify(rows)}) group by value ->> 'id'
    ),
    unseen as (
      select * from sighting where not exists (select 1 from anomaly_evidence where anomaly_evidence.id = sighting.id)
    )`
}

// Columns of both inserts stand in the order of the schema.
function openRecords(db: Database, unseen: SQL) {
  return db
    .insert(anomalies)
    .select(
      sql`${unseen}
      select null, min(new_record), kind, subject, 'open', min(seen_at), max(seen_at), null, null, null
      from unseen where true group by kind, subject order by min(place)`,
    )
    .onConflictDoNothing()
}

function advanceRecords(db: Database, unseen: SQL) {
  const latest = sql`(${unseen}
    select kind, subject, max(seen_at) as seen_at from unseen group by kind, subject) as latest`
  return db
    .update(anomalies)
    .set({ lastSeenAt: sql`max(${anomalies.lastSeenAt}, latest.seen_at)` })
    .from(latest)
    .where(
      and(
        sql`${anomalies.status} = 'open'`,
        eq(anomalies.kind, sql`latest.kind`),
        eq(anomalies.subject, sql`latest.subject`),
      ),
    )
}

function addEvidence(db: Database, unseen: SQL) {
  return db.insert(anomalyEvidence).select(
    sql`${unseen}
      select id, anomaly_id, seen_at, detail from (
        select unseen.id, anomalies.id as anomaly_id, unseen.seen_at, unseen.detail,
          row_number() over (partition by anomalies.id order by unseen.place)
            + (select count(*) from anomaly_evidence where anomaly_id = anomalies.id) as number
        from unseen join anomalies
          on anomalies.status = 'open' and anomalies.kind = unseen.kind and anomalies.subject = unseen.subject
      )
      where number <= ${MAX_EVIDENCE}`,
  )
}

/** Records with this status that were opened before the one with sequence `before`, newest first. */
export async function listAnomalies(
  db: Database,
  status: AnomalyStatus,
  before: number | undefined,
  limit: number,
): Promise<AnomalyRecord[]> {
  const rows = await recordsQuery(db)
    .where(
      and(eq(anomalies.status, status), before === undefined ? undefined : lt(anomalies.sequence, before)),
    )
    .orderBy(desc(anomalies.sequence))
    .limit(limit)
  return rows.map(toRecord)
}

/** One record with its evidence, oldest first, or undefined if there is none with this id. */
export async function readAnomaly(
  db: Database,
  id: string,
): Promise<{ record: AnomalyRecord; evidence: Evidence[] } | undefined> {
  const [[row], evidence] = await db.batch([
    recordsQuery(db).where(eq(anomalies.id, id)),
    db
      .select({ id: anomalyEvidence.id, seenAt: anomalyEvidence.seenAt, detail: anomalyEvidence.detail })
      .from(anomalyEvidence)
      .where(eq(anomalyEvidence.anomalyId, id))
      .orderBy(asc(anomalyEvidence.seenAt), asc(anomalyEvidence.id))
      .limit(MAX_EVIDENCE),
  ])
  return row === undefined ? undefined : { record: toRecord(row), evidence }
}

/** An operator's decision. */
export interface Review {
  readonly verdict: Exclude<AnomalyStatus, 'open'>
  readonly note: string
  readonly operatorId: string
}

/** Closes an open record; what is seen after that opens another. False if there is none that is open. */
export async function reviewAnomaly(
  db: Database,
  id: string,
  { verdict, note, operatorId }: Review,
  now: number,
): Promise<boolean> {
  const rows = await db
    .update(anomalies)
    .set({ status: verdict, note, reviewedBy: operatorId, reviewedAt: now })
    .where(and(eq(anomalies.id, id), eq(anomalies.status, 'open')))
    .returning({ id: anomalies.id })
  return rows.length > 0
}

function recordsQuery(db: Database) {
  return db
    .select({
      sequence: anomalies.sequence,
      id: anomalies.id,
      kind: anomalies.kind,
      subject: anomalies.subject,
      status: anomalies.status,
      sightings: db.$count(anomalyEvidence, eq(anomalyEvidence.anomalyId, anomalies.id)),
      openedAt: anomalies.openedAt,
      lastSeenAt: anomalies.lastSeenAt,
      reviewedAt: anomalies.reviewedAt,
      note: anomalies.note,
    })
    .from(anomalies)
    .$dynamic()
}

// Only `recordSightings` writes kinds.
function toRecord(row: Omit<AnomalyRecord, 'kind'> & { readonly kind: string }): AnomalyRecord {
  return { ...row, kind: row.kind as AnomalyKind }
}
