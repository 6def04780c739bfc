import { DAY_MS } from '../../domain/time.ts'

/** How long the ids of settled Jobs are kept, so that a report that comes twice is known from a stray one. */
const REMEMBER_SETTLED_MS = DAY_MS

/** What a ConsumerSession remembers of Jobs that are over: the `Idempotency-Key`s that were charged, and settled ids. */
export class JobMemory {
  readonly #sql: SqlStorage
  constructor(sql: SqlStorage) {
    this.#sql = sql
  }

  /** The request with this key was charged (rule K1). */
  rememberAnswered(idempotencyKey: string, digest: string, until: number): void {
    this.#sql.exec('INSERT INTO answered VALUES (?, ?, ?)', idempotencyKey, digest, until)
  }
  /** Digest of the request that was charged under this key. */
  answeredDigest(idempotencyKey: string): string | undefined {
    return this.#sql
      .exec<{ digest: string }>('SELECT digest FROM answered WHERE idempotency_key = ?', idempotencyKey)
      .toArray()[0]?.digest
  }

  /** These Jobs are in the book. `ids` is a JSON array. */
  rememberSettled(settlementId: string, ids: string, now: number): void {
    this.#sql.exec(
      'INSERT OR REPLACE INTO settled_jobs VALUES (?, ?, ?)',
      settlementId,
      ids,
      now + REMEMBER_SETTLED_MS,
    )
  }
  wasSettled(jobId: string): boolean {
    const found = this.#sql.exec('SELECT 1 FROM settled_jobs, json_each(ids) WHERE value = ?', jobId)
    return found.toArray().length > 0
  }

  /** Forgets what is old. */
  forget(now: number): void {
    this.#sql.exec('DELETE FROM answered WHERE expires_at <= ?', now)
    this.#sql.exec('DELETE FROM settled_jobs WHERE expires_at <= ?', now)
  }
}
