import type { JobUsage, UsageTotals } from '@daisi/protocol'
import type { Transfer } from '../../db/ledger.ts'
import type { Lease } from '../../domain/lease.ts'
import type { SessionRecord } from './types.ts'

/** A write to the book that was decided here and is not yet known to have happened there. */
export interface PendingWrite {
  readonly kind: 'refill' | 'release' | 'settle'
  readonly transfers: readonly Transfer[]
  /** Credits by which the lease changes once the write is known. */
  readonly amount: number
}

/** A Job that holds or has cost credits. */
export interface JobRow {
  readonly id: string
  readonly state: 'open' | 'finished'
  readonly hold: number
  readonly digest: string | null
  readonly generatedTokens: number
}

/** How a Job ended. */
export interface EndedJob {
  readonly jobId: string
  readonly payee: string
  readonly usage: JobUsage
  readonly credits: number
  /** Until when its `Idempotency-Key`, if it has one, is remembered. */
  readonly rememberUntil: number
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS lease (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    amount INTEGER NOT NULL DEFAULT 0, held INTEGER NOT NULL DEFAULT 0, owed INTEGER NOT NULL DEFAULT 0,
    writes INTEGER NOT NULL DEFAULT 0,
    jobs INTEGER NOT NULL DEFAULT 0, prompt_tokens INTEGER NOT NULL DEFAULT 0, cached_tokens INTEGER NOT NULL DEFAULT 0,
    generated_tokens INTEGER NOT NULL DEFAULT 0, credits INTEGER NOT NULL DEFAULT 0,
    CHECK (held >= 0 AND owed >= 0 AND held + owed <= amount)
  ) STRICT;
  INSERT OR IGNORE INTO lease (id) VALUES (1);
  CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY, state TEXT NOT NULL CHECK (state IN ('open', 'finished')), hold INTEGER NOT NULL,
    idempotency_key TEXT UNIQUE, digest TEXT, expires_at INTEGER NOT NULL,
    payee TEXT, credits INTEGER NOT NULL DEFAULT 0, generated_tokens INTEGER NOT NULL DEFAULT 0,
    settling INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX IF NOT EXISTS jobs_expiry ON jobs (expires_at);
  CREATE TABLE IF NOT EXISTS opened_sessions (name TEXT PRIMARY KEY, expires_at INTEGER NOT NULL) STRICT;`

/** The storage of one ConsumerSession. Every method is one atomic step. */
export class SessionStorage {
  readonly #storage: DurableObjectStorage
  readonly #sql: SqlStorage
  constructor(storage: DurableObjectStorage) {
    this.#storage = storage
    this.#sql = storage.sql
    this.#sql.exec(SCHEMA)
  }

  /** Leaves nothing behind. The object must not use its storage again before it is made anew. */
  forget(): Promise<void> {
    return this.#storage.deleteAll()
  }

  record(): SessionRecord | undefined {
    return this.#fact<SessionRecord>('record')
  }
  saveRecord(record: SessionRecord): void {
    this.#saveFact('record', record)
  }
  /** A revocation is final, and may come before anything else is known. */
  markRevoked(): void {
    this.#saveFact('revoked', true)
  }
  isRevoked(): boolean {
    return this.#fact<boolean>('revoked') === true
  }
  pending(): PendingWrite | undefined {
    return this.#fact<PendingWrite>('pending')
  }

  lease(): Lease {
    return this.#sql
      .exec<{ amount: number; held: number; owed: number }>('SELECT amount, held, owed FROM lease')
      .one()
  }
  totals(): UsageTotals {
    return this.#sql
      .exec<Record<keyof UsageTotals, number>>(
        'SELECT jobs, prompt_tokens, cached_tokens, generated_tokens, credits FROM lease',
      )
      .one()
  }

  /** Reserves credits for a Job. */
  openJob(job: {
    id: string
    hold: number
    expiresAt: number
    key: string | null
    digest: string | null
  }): void {
    this.#storage.transactionSync(() => {
      this.#sql.exec('UPDATE lease SET held = held + ?', job.hold)
      this.#sql.exec(
        `INSERT INTO jobs (id, state, hold, idempotency_key, digest, expires_at) VALUES (?, 'open', ?, ?, ?, ?)`,
        job.id,
        job.hold,
        job.key,
        job.digest,
        job.expiresAt,
      )
    })
  }

  jobByIdempotencyKey(key: string): JobRow | undefined {
    return this.#sql
      .exec<Record<keyof JobRow, never>>(
        'SELECT id, state, hold, digest, generated_tokens AS generatedTokens FROM jobs WHERE idempotency_key = ?',
        key,
      )
      .toArray()[0]
  }

  /** Turns holds into what the Jobs cost. Jobs that are finished or forgotten stay as they are; true if any was not. */
  finishJobs(jobs: readonly EndedJob[]): boolean {
    return this.#storage.transactionSync(() => jobs.map((job) => this.#finishJob(job)).includes(true))
  }

  #finishJob({ jobId, payee, usage, credits, rememberUntil }: EndedJob): boolean {
    const row = this.#sql
      .exec<{ hold: number; key: string | null }>(
        `SELECT hold, idempotency_key AS key FROM jobs WHERE id = ? AND state = 'open'`,
        jobId,
      )
      .toArray()[0]
    if (row === undefined) return false
    const owed = Math.min(credits, row.hold)
    const delivered = usage.generatedTokens > 0 ? 1 : 0
    this.#sql.exec(
      `UPDATE lease SET held = held - ?, owed = owed + ?, jobs = jobs + ?, prompt_tokens = prompt_tokens + ?,
         cached_tokens = cached_tokens + ?, generated_tokens = generated_tokens + ?, credits = credits + ?`,
      row.hold,
      owed,
      delivered,
      usage.promptTokens,
      usage.cachedTokens,
      usage.generatedTokens,
      owed,
    )
    if (usage.generatedTokens === 0 || (owed === 0 && row.key === null))
      this.#sql.exec('DELETE FROM jobs WHERE id = ?', jobId)
    else {
      this.#sql.exec(
        `UPDATE jobs SET state = 'finished', payee = ?, credits = ?, generated_tokens = ?, expires_at = ? WHERE id = ?`,
        payee,
        owed,
        usage.generatedTokens,
        rememberUntil,
        jobId,
      )
    }
    return true
  }

  /** What finished Jobs owe, by payee. */
  owedByPayee(): { payee: string; credits: number }[] {
    return this.#sql
      .exec<{ payee: string; credits: number }>(
        `SELECT payee, sum(credits) AS credits FROM jobs WHERE state = 'finished' AND credits > 0 GROUP BY payee ORDER BY payee`,
      )
      .toArray()
  }

  /** A number for the next write to the book, never used before. */
  nextWrite(): number {
    return this.#sql.exec<{ writes: number }>('UPDATE lease SET writes = writes + 1 RETURNING writes').one()
      .writes
  }

  /** Notes a write before it is made. A release leaves the lease at once, so that no Job can use it meanwhile. */
  beginWrite(write: PendingWrite): void {
    this.#storage.transactionSync(() => {
      if (write.kind === 'release') this.#sql.exec('UPDATE lease SET amount = amount - ?', write.amount)
      if (write.kind === 'settle')
        this.#sql.exec(`UPDATE jobs SET settling = 1 WHERE state = 'finished' AND credits > 0`)
      this.#saveFact('pending', write)
    })
  }

  /** The write happened. */
  commitWrite(write: PendingWrite): void {
    this.#storage.transactionSync(() => {
      if (write.kind === 'refill') this.#sql.exec('UPDATE lease SET amount = amount + ?', write.amount)
      if (write.kind === 'settle') {
        this.#sql.exec('UPDATE lease SET amount = amount - ?1, owed = owed - ?1', write.amount)
        this.#sql.exec('DELETE FROM jobs WHERE settling = 1 AND idempotency_key IS NULL')
        this.#sql.exec('UPDATE jobs SET settling = 0, credits = 0 WHERE settling = 1')
      }
      this.#sql.exec(`DELETE FROM facts WHERE name = 'pending'`)
    })
  }

  /** The write was refused and will not happen. Only a refill can be. */
  abandonWrite(): void {
    this.#sql.exec(`DELETE FROM facts WHERE name = 'pending'`)
  }

  /** Frees holds whose Job was never reported and forgets old idempotency keys. */
  expireJobs(now: number): void {
    this.#storage.transactionSync(() => {
      this.#sql.exec(
        `UPDATE lease SET held = held - (SELECT coalesce(sum(hold), 0) FROM jobs WHERE state = 'open' AND expires_at <= ?)`,
        now,
      )
      this.#sql.exec(`DELETE FROM jobs WHERE expires_at <= ? AND (state = 'open' OR credits = 0)`, now)
    })
  }
  nextExpiry(): number | null {
    return this.#sql.exec<{ at: number | null }>('SELECT min(expires_at) AS at FROM jobs').one().at
  }

  addOpenedSession(name: string, expiresAt: number, now: number): void {
    this.#sql.exec('DELETE FROM opened_sessions WHERE expires_at <= ?', now)
    this.#sql.exec('INSERT OR IGNORE INTO opened_sessions (name, expires_at) VALUES (?, ?)', name, expiresAt)
  }
  openedSessions(): string[] {
    return this.#sql
      .exec<{ name: string }>('SELECT name FROM opened_sessions')
      .toArray()
      .map((row) => row.name)
  }

  #fact<Value>(name: string): Value | undefined {
    const row = this.#sql.exec<{ value: string }>('SELECT value FROM facts WHERE name = ?', name).toArray()[0]
    return row === undefined ? undefined : (JSON.parse(row.value) as Value)
  }
  #saveFact(name: string, value: unknown): void {
    this.#sql.exec('INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)', name, JSON.stringify(value))
  }
}
