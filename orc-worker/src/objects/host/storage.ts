import type { Command, JobUsage } from '@daisi/protocol'
import { type MeteredJob, meteredJob } from './attachments.ts'

/** How long a used nonce is remembered, in milliseconds: longer than it could be used again (rule C5). */
const NONCE_MS = 150_000

/** A Job's cost, waiting to be taken by its Session. */
export interface UnreportedJob {
  readonly jobId: string
  readonly sessionName: string
  readonly payee: string
  readonly usage: JobUsage
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS commands (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, arguments TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS nonces (nonce TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS removal (id INTEGER PRIMARY KEY CHECK (id = 1)) STRICT;
  CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY, meter TEXT NOT NULL, deadline INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS unreported (id TEXT PRIMARY KEY, report TEXT NOT NULL) STRICT;`

/** The storage of one HostConnection: commands, checkpoints of meters, and reports on their way to Sessions. */
export class HostStorage {
  readonly #storage: DurableObjectStorage
  readonly #sql: SqlStorage
  constructor(storage: DurableObjectStorage) {
    this.#storage = storage
    this.#sql = storage.sql
    this.#sql.exec(SCHEMA)
  }

  /** A removal is final. */
  markRemoved(): void {
    this.#sql.exec('INSERT OR IGNORE INTO removal (id) VALUES (1)')
  }
  isRemoved(): boolean {
    return this.#sql.exec('SELECT id FROM removal').toArray().length > 0
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

  /** Appends a command and answers its place in the queue (rule Q1). */
  queueCommand(id: string, name: string): Command {
    const row = this.#sql
      .exec<{ sequence: number }>(
        `INSERT INTO commands (id, name, arguments) VALUES (?, ?, '{}') RETURNING sequence`,
        id,
        name,
      )
      .one()
    return { type: 'command', commandId: id, sequence: row.sequence, name, arguments: {} }
  }
  queuedCommands(): Command[] {
    return this.#sql
      .exec<{ sequence: number; id: string; name: string; arguments: string }>(
        'SELECT * FROM commands ORDER BY sequence',
      )
      .toArray()
      .map((row) => ({
        type: 'command',
        commandId: row.id,
        sequence: row.sequence,
        name: row.name,
        arguments: JSON.parse(row.arguments) as Record<string, unknown>,
      }))
  }
  /** Rule Q2. */
  acknowledgeCommand(id: string): void {
    this.#sql.exec('DELETE FROM commands WHERE id = ?', id)
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

  /** A Job is over: its cost takes the place of its checkpoint, in one step. */
  recordEnd(report: UnreportedJob): void {
    this.#storage.transactionSync(() => {
      this.#sql.exec('DELETE FROM jobs WHERE id = ?', report.jobId)
      this.#sql.exec(
        'INSERT OR IGNORE INTO unreported (id, report) VALUES (?, ?)',
        report.jobId,
        JSON.stringify(report),
      )
    })
  }
  unreported(): UnreportedJob[] {
    return this.#sql
      .exec<{ report: string }>('SELECT report FROM unreported')
      .toArray()
      .map((row) => JSON.parse(row.report) as UnreportedJob)
  }
  /** The Session has taken the reports. */
  reported(jobIds: readonly string[]): void {
    this.#storage.transactionSync(() => {
      for (const jobId of jobIds) this.#sql.exec('DELETE FROM unreported WHERE id = ?', jobId)
    })
  }
}
