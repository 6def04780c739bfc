import { jobUsage } from '@daisi/protocol'
import * as z from 'zod'
import type { Sighting } from '../../domain/anomalies/sighting.ts'
import type { JobReport } from '../session/types.ts'
import { type MeteredJob, meteredJob } from './attachments.ts'

/** How long a used nonce is remembered, in milliseconds: longer than it could be used again (rule C5). */
const NONCE_MS = 150_000

/** Sightings that may wait for the database. A hostile Host could fill the storage otherwise. */
const MAX_SIGHTINGS = 100

/** How a Job ended, waiting to be taken by its Session. */
export interface UnreportedJob extends JobReport {
  readonly sessionName: string
}

/** As stored, by this version of the Worker or by one that knew less of a Job. */
const storedReport = z.object({
  jobId: z.string(),
  tokenId: z.string().optional(),
  sessionName: z.string(),
  hostId: z.string().optional(),
  payee: z.string(),
  model: z.string().default(''),
  network: z.string().default('public'),
  usage: jobUsage,
  promptBytes: z.int().default(0),
  textBytes: z.int().default(0),
  endedAt: z.int().optional(),
})

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS nonces (nonce TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS removal (id INTEGER PRIMARY KEY CHECK (id = 1)) STRICT;
  CREATE TABLE IF NOT EXISTS rights (id INTEGER PRIMARY KEY CHECK (id = 1), generation INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY, meter TEXT NOT NULL, deadline INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS unreported (id TEXT PRIMARY KEY, report TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS ended (id TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS sightings (id TEXT PRIMARY KEY, sighting TEXT NOT NULL) STRICT;`

/**
 * The storage of one HostConnection: checkpoints of meters, reports on their way to Sessions, and sightings on
 * theirs to the database.
 */
export class HostStorage {
  readonly #storage: DurableObjectStorage
  readonly #sql: SqlStorage
  readonly #hostId: string
  constructor(storage: DurableObjectStorage, hostId: string) {
    this.#storage = storage
    this.#sql = storage.sql
    this.#hostId = hostId
    this.#sql.exec(SCHEMA)
  }

  /** A removal is final. */
  markRemoved(): void {
    this.#sql.exec('INSERT OR IGNORE INTO removal (id) VALUES (1)')
  }
  isRemoved(): boolean {
    return this.#sql.exec('SELECT id FROM removal').toArray().length > 0
  }

  /** How often what this Host may do has changed. */
  rightsGeneration(): number {
    const [row] = this.#sql.exec<{ generation: number }>('SELECT generation FROM rights').toArray()
    return row?.generation ?? 0
  }
  /** What this Host may do has changed: rights that were read before are refused from now on. */
  raiseRightsGeneration(): void {
    this.#sql.exec(
      'INSERT INTO rights (id, generation) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET generation = generation + 1',
    )
  }

  /** True the first time, false ever after (rule C5). */
  useNonce(nonce: string, now: number): boolean {
    this.#sql.exec('DELETE FROM nonces WHERE at < ?', now - NONCE_MS)
    return (
      this.#sql
        .exec('INSERT OR IGNORE INTO nonces (nonce, at) VALUES (?, ?) RETURNING at', nonce, now)
        .toArray().length === 1
    )
  }

  /** Notes how far a Job has come, so that a restart loses at most what came since. */
  checkpoint(job: MeteredJob, deadline: number): void {
    this.#sql.exec(
      'INSERT OR REPLACE INTO jobs (id, meter, deadline) VALUES (?, ?, ?)',
      job.jobId,
      JSON.stringify(job),
      deadline,
    )
  }
  /** Jobs of which a checkpoint is kept, with the time by which their end must be known. */
  checkpoints(): { job: MeteredJob; deadline: number }[] {
    return this.#sql
      .exec<{ meter: string; deadline: number }>('SELECT meter, deadline FROM jobs')
      .toArray()
      .map((row) => ({ job: meteredJob.parse(JSON.parse(row.meter)), deadline: row.deadline }))
  }
  checkpointOf(jobId: string): MeteredJob | undefined {
    const row = this.#sql.exec<{ meter: string }>('SELECT meter FROM jobs WHERE id = ?', jobId).toArray()[0]
    return row === undefined ? undefined : meteredJob.parse(JSON.parse(row.meter))
  }

  /** A Job is over: its cost takes the place of its checkpoint, in one step. The first end of a Job counts. */
  recordEnd(report: UnreportedJob): void {
    this.#storage.transactionSync(() => {
      this.#sql.exec('DELETE FROM jobs WHERE id = ?', report.jobId)
      if (!this.noteEnded(report.jobId, report.endedAt)) return
      this.#sql.exec(
        'INSERT OR IGNORE INTO unreported (id, report) VALUES (?, ?)',
        report.jobId,
        JSON.stringify(report),
      )
    })
  }
  /** Remembers for a while that a Job was here and is over. False if that was known. */
  noteEnded(jobId: string, now: number): boolean {
    return (
      this.#sql.exec('INSERT OR IGNORE INTO ended (id, at) VALUES (?, ?) RETURNING at', jobId, now).toArray()
        .length === 1
    )
  }
  hasEnded(jobId: string): boolean {
    return this.#sql.exec('SELECT id FROM ended WHERE id = ?', jobId).toArray().length > 0
  }
  /** Forgets Jobs that were over before this time. */
  forgetEnded(before: number): void {
    this.#sql.exec('DELETE FROM ended WHERE at < ?', before)
  }

  unreported(now: number): UnreportedJob[] {
    return this.#sql
      .exec<{ report: string }>('SELECT report FROM unreported')
      .toArray()
      .map((row) => storedReport.parse(JSON.parse(row.report)))
      .map((report) => ({ ...report, hostId: report.hostId ?? this.#hostId, endedAt: report.endedAt ?? now }))
  }
  /** The Session has taken the reports. */
  reported(jobIds: readonly string[]): void {
    this.#storage.transactionSync(() => {
      for (const jobId of jobIds) this.#sql.exec('DELETE FROM unreported WHERE id = ?', jobId)
    })
  }

  /** Keeps a sighting until the database has it. False if too many wait already. */
  addSighting(sighting: Sighting): boolean {
    const { waiting } = this.#sql.exec<{ waiting: number }>('SELECT count(*) AS waiting FROM sightings').one()
    if (waiting >= MAX_SIGHTINGS) return false
    this.#sql.exec(
      'INSERT OR IGNORE INTO sightings (id, sighting) VALUES (?, ?)',
      sighting.id,
      JSON.stringify(sighting),
    )
    return true
  }
  sightings(): Sighting[] {
    return this.#sql
      .exec<{ sighting: string }>('SELECT sighting FROM sightings')
      .toArray()
      .map((row) => JSON.parse(row.sighting) as Sighting)
  }
  /** The database has taken the sightings. */
  removeSightings(ids: readonly string[]): void {
    this.#storage.transactionSync(() => {
      for (const id of ids) this.#sql.exec('DELETE FROM sightings WHERE id = ?', id)
    })
  }
}
