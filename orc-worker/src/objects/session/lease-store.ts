import type { UsageTotals } from '@daisi/protocol'
import type { SettlementEntry } from '../../db/ledger.ts'
import {
  type Lease,
  finished,
  finishedRecalled,
  owedFor,
  recalled,
  refilled,
  released,
  reserved,
  settled,
  yielded,
} from '../../domain/money/lease.ts'
import { paymentsOf } from '../../domain/money/settlement.ts'
import { deleteFact, readFact, saveFact } from './facts.ts'
import { JobMemory } from './job-memory.ts'
import type { PendingWrite } from './pending-write.ts'
import { splitHold } from './split-hold.ts'
import type { JobReport, LeaseDrift } from './types.ts'

/** A Job about to run. */
export interface NewJob {
  readonly id: string
  readonly hold: number
  readonly expiresAt: number
  readonly idempotency: { readonly key: string; readonly digest: string } | undefined
}

/** A Job that ended, with what it costs. */
export interface EndedJob {
  readonly report: JobReport
  /** 0 on one's own Hosts. */
  readonly credits: number
  /** Until when its `Idempotency-Key`, if it has one, is remembered. */
  readonly rememberUntil: number
}

/** What became of an earlier request with the same `Idempotency-Key`. */
export interface EarlierRequest {
  readonly state: 'running' | 'answered'
  readonly digest: string
}

/** What a running Job holds, and whether (1) it ran when its lease was recalled. */
interface Held extends Record<string, SqlStorageValue> {
  readonly hold: number
  readonly recalled: number
}

/**
 * The money of one ConsumerSession: its lease, the holds of running Jobs, what finished ones owe, and the one write to the
 * book that may be under way. Every method is one atomic step; how the lease changes stands in `domain/money/lease.ts`.
 */
export class LeaseStore {
  readonly #storage: DurableObjectStorage
  readonly #sql: SqlStorage
  readonly #memory: JobMemory
  constructor(storage: DurableObjectStorage) {
    this.#storage = storage
    this.#sql = storage.sql
    this.#memory = new JobMemory(storage.sql)
  }

  lease(): Lease {
    return this.#sql
      .exec<Record<keyof Lease, number>>('SELECT amount, held, owed, recalled AS "returning" FROM lease')
      .one()
  }
  lastRefill(): number {
    return this.#sql.exec<{ last: number }>('SELECT last_refill AS last FROM lease').one().last
  }
  totals(): UsageTotals {
    return this.#sql
      .exec<Record<keyof UsageTotals, number>>(
        'SELECT jobs, prompt_tokens, cached_tokens, generated_tokens, credits FROM lease',
      )
      .one()
  }

  /** Reserves credits for a Job. False if the lease does not cover them. */
  openJob({ id, hold, expiresAt, idempotency }: NewJob): boolean {
    return this.#storage.transactionSync(() => {
      const lease = reserved(this.lease(), hold)
      if (lease === undefined) return false
      this.#saveLease(lease)
      this.#sql.exec(
        `INSERT INTO jobs (id, state, hold, expires_at, idempotency_key, digest) VALUES (?, 'open', ?, ?, ?, ?)`,
        id,
        hold,
        expiresAt,
        idempotency?.key ?? null,
        idempotency?.digest ?? null,
      )
      return true
    })
  }

  earlierRequest(idempotencyKey: string): EarlierRequest | undefined {
    const [running] = this.#sql
      .exec<{ digest: string }>('SELECT digest FROM jobs WHERE idempotency_key = ?', idempotencyKey)
      .toArray()
    if (running !== undefined) return { state: 'running', digest: running.digest }
    const digest = this.#memory.answeredDigest(idempotencyKey)
    return digest === undefined ? undefined : { state: 'answered', digest }
  }

  /** Turns holds into what the Jobs cost, each once. Answers which Jobs were never here or are long forgotten. */
  finishJobs(jobs: readonly EndedJob[]): { readonly ended: number; readonly unknown: readonly string[] } {
    return this.#storage.transactionSync(() => {
      const outcomes = jobs.map((job) => ({ id: job.report.jobId, outcome: this.#finishJob(job) }))
      return {
        ended: outcomes.filter(({ outcome }) => outcome === 'ended').length,
        unknown: outcomes.filter(({ outcome }) => outcome === 'unknown').map(({ id }) => id),
      }
    })
  }

  /** A Job ended without having delivered anything: as if it had never been asked for (rules P2, K3). */
  freeJob(jobId: string): void {
    this.#storage.transactionSync(() => {
      const [row] = this.#sql
        .exec<Held>(`DELETE FROM jobs WHERE id = ? AND state = 'open' RETURNING hold, recalled`, jobId)
        .toArray()
      if (row !== undefined) this.#giveUpHold(row, 0)
    })
  }

  #finishJob({ report, credits, rememberUntil }: EndedJob): 'ended' | 'repeated' | 'unknown' {
    const { jobId, tokenId, usage } = report
    if (tokenId !== undefined && !this.#memory.wasSettled(jobId))
      splitHold(this.#sql, { tokenId, jobId, credits })
    const row = this.#sql
      .exec<Held & { state: string; key: string | null; digest: string }>(
        'SELECT state, hold, recalled, idempotency_key AS key, digest FROM jobs WHERE id = ?',
        jobId,
      )
      .toArray()[0]
    if (row === undefined) return this.#memory.wasSettled(jobId) ? 'repeated' : 'unknown'
    if (row.state !== 'open') return 'repeated'
    if (usage.generatedTokens === 0) {
      this.freeJob(jobId)
      return 'ended'
    }
    this.#giveUpHold(row, credits)
    const owed = owedFor(row.hold, credits)
    this.#sql.exec(
      `UPDATE jobs SET state = 'finished', credits = ?, report = ?, idempotency_key = NULL, digest = NULL WHERE id = ?`,
      owed,
      JSON.stringify(report),
      jobId,
    )
    if (row.key !== null) this.#memory.rememberAnswered(row.key, row.digest, rememberUntil)
    this.#sql.exec(
      `UPDATE lease SET jobs = jobs + 1, prompt_tokens = prompt_tokens + ?, cached_tokens = cached_tokens + ?,
         generated_tokens = generated_tokens + ?, credits = credits + ?`,
      usage.promptTokens,
      usage.cachedTokens,
      usage.generatedTokens,
      owed,
    )
    return 'ended'
  }

  /** Finished Jobs that are not in the book yet, with what each owes. */
  unsettledJobs(limit: number): (JobReport & { readonly credits: number })[] {
    return (
      this.#sql
        .exec<{ report: string; credits: number }>(
          `SELECT report, credits FROM jobs WHERE state = 'finished' LIMIT ?`,
          limit,
        )
        .toArray()
        // A report of the version before does not name its Network: there was one.
        .map((row) => ({
          network: 'public',
          ...(JSON.parse(row.report) as Omit<JobReport, 'network'>),
          credits: row.credits,
        }))
    )
  }

  pending(): PendingWrite | undefined {
    return readFact<PendingWrite>(this.#sql, 'pending')
  }
  /** Notes a write before it is made. A release leaves the lease at once, so that no Job can use it meanwhile. */
  beginWrite(write: PendingWrite): void {
    this.#storage.transactionSync(() => {
      if (write.kind === 'release') this.#saveLease(released(this.lease(), write.transfer.amount))
      saveFact(this.#sql, 'pending', write)
    })
  }
  /** The write happened. */
  commitWrite(write: PendingWrite, now: number): void {
    this.#storage.transactionSync(() => {
      if (write.kind === 'refill') this.#commitRefill(write.transfer.amount)
      if (write.kind === 'settle') this.#commitSettlement(write.entry, write.jobIds, now)
      deleteFact(this.#sql, 'pending')
    })
  }
  #commitRefill(amount: number): void {
    this.#saveLease(refilled(this.lease(), amount))
    this.#sql.exec('UPDATE lease SET last_refill = ?', amount)
  }
  #commitSettlement(entry: SettlementEntry, jobIds: readonly string[], now: number): void {
    const ids = JSON.stringify(jobIds)
    this.#saveLease(settled(this.lease(), entry.settlement.credits))
    this.#sql.exec('DELETE FROM jobs WHERE id IN (SELECT value FROM json_each(?))', ids)
    this.#memory.rememberSettled(entry.id, ids, now)
  }
  /** The write was refused and will not happen. Only a refill can be. */
  abandonWrite(): void {
    deleteFact(this.#sql, 'pending')
  }

  /**
   * Takes the book's word for what the lease has. Where that does not cover what Jobs hold, they end for free; where it does
   * not even cover what is owed, that stays unpaid. The disagreement is kept until it is known to be noted.
   */
  yieldTo(book: number, now: number): void {
    this.#storage.transactionSync(() => {
      const before = this.lease()
      const pending = this.pending()
      // Still here, it was refused: it did not happen.
      deleteFact(this.#sql, 'pending')
      const after = yielded(before, book, pending?.kind === 'release' ? pending.transfer.amount : 0)
      const isUnpaid = after.owed < before.owed
      const unpaid = isUnpaid ? paymentsOf(this.unsettledJobs(Number.MAX_SAFE_INTEGER)) : []
      if (isUnpaid) this.#sql.exec(`DELETE FROM jobs WHERE state = 'finished'`)
      if (after.held < before.held) this.#sql.exec(`UPDATE jobs SET hold = 0 WHERE state = 'open'`)
      this.#saveLease(after)
      const unheld = before.held - after.held
      const drift: LeaseDrift = { session: before.amount, book, unpaid, unheld, at: now }
      saveFact(this.#sql, 'drift', drift)
    })
  }
  /** A disagreement that nobody is known to have noted. */
  drift(): LeaseDrift | undefined {
    return readFact<LeaseDrift>(this.#sql, 'drift')
  }
  forgetDrift(): void {
    deleteFact(this.#sql, 'drift')
  }

  /** An operator wants back what the lease does not need: what is free now, and what running Jobs leave when they end. */
  recall(): void {
    this.#storage.transactionSync(() => {
      this.#saveLease(recalled(this.lease()))
      this.#sql.exec(`UPDATE jobs SET recalled = 1 WHERE state = 'open'`)
    })
  }

  /** Running Jobs keep their holds until then. */
  renewJobs(jobIds: readonly string[], expiresAt: number): void {
    this.#sql.exec(
      `UPDATE jobs SET expires_at = ? WHERE state = 'open' AND id IN (SELECT value FROM json_each(?))`,
      expiresAt,
      JSON.stringify(jobIds),
    )
  }
  /** Frees holds of Jobs that nobody speaks for, and forgets old keys and settlements. Answers the ids of such Jobs. */
  expireJobs(now: number): string[] {
    return this.#storage.transactionSync(() => {
      const expired = this.#sql
        .exec<Held & { id: string }>(
          `DELETE FROM jobs WHERE state = 'open' AND expires_at <= ? RETURNING id, hold, recalled`,
          now,
        )
        .toArray()
      for (const row of expired) this.#giveUpHold(row, 0)
      this.#memory.forget(now)
      return expired.map(({ id }) => id)
    })
  }
  /** When the next hold, key or settlement may be forgotten. */
  nextExpiry(): number | null {
    return this.#sql
      .exec<{ at: number | null }>(
        `SELECT min(at) AS at FROM (SELECT min(expires_at) AS at FROM jobs WHERE state = 'open'
         UNION ALL SELECT min(expires_at) FROM answered UNION ALL SELECT min(expires_at) FROM settled_jobs)`,
      )
      .one().at
  }

  #giveUpHold({ hold, recalled: isRecalled }: Held, credits: number): void {
    const end = isRecalled === 1 ? finishedRecalled : finished
    this.#saveLease(end(this.lease(), hold, credits))
  }

  #saveLease({ amount, held, owed, returning }: Lease): void {
    this.#sql.exec(
      'UPDATE lease SET amount = ?, held = ?, owed = ?, recalled = ?',
      amount,
      held,
      owed,
      returning,
    )
  }
}
