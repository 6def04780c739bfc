import { HOLD_MS } from '../../domain/deadlines.ts'
import { runsDry } from '../../domain/money/lease.ts'
import { charge } from '../../domain/money/price.ts'
import type { LeaseOwner } from '../../domain/money/transfer.ts'
import { logEvent } from '../../log.ts'
import type { Alarm } from '../alarm.ts'
import { bookkeeperStub } from '../stubs.ts'
import { beginJob } from './begin.ts'
import { type SessionBook, ownerOf } from './book.ts'
import type { LeaseStore } from './lease-store.ts'
import { hasEnded } from './permission.ts'
import { STORAGE_UNAVAILABLE } from './refusals.ts'
import type {
  BeginRequest,
  Begun,
  JobReport,
  LeaseAnswer,
  ReportsTaken,
  SessionFailure,
  SessionRecord,
} from './types.ts'

/** Finished Jobs are settled together after this long: often enough to watch, seldom enough to cost little. */
const SETTLE_AFTER_MS = 5_000
/** A lease that nothing used for this long goes back to the account. */
const RELEASE_AFTER_MS = 30_000
/** How long an `Idempotency-Key` is remembered (rule K1). */
const IDEMPOTENCY_MS = 24 * 60 * 60 * 1000

/** What the credits of one Session are kept with. */
export interface LeaseParts {
  readonly env: Env
  readonly store: LeaseStore
  readonly book: SessionBook
  readonly alarm: Alarm
}

/** The credits of one Session over time: holds of Jobs, what they owe, and the lease that both come from. */
export class LeaseKeeper {
  readonly #env: Env
  readonly #store: LeaseStore
  readonly #book: SessionBook
  readonly #alarm: Alarm
  #lastUsedAt = 0
  /** True once the Bookkeeper knows that a lease is open. */
  #isWatched = false

  constructor({ env, store, book, alarm }: LeaseParts) {
    this.#env = env
    this.#store = store
    this.#book = book
    this.#alarm = alarm
  }

  /** Holds credits for a Job. `later` is given what no Job waits for. */
  async begin(
    request: BeginRequest,
    record: SessionRecord,
    later: (work: Promise<void>) => void,
  ): Promise<Begun | SessionFailure> {
    const now = Date.now()
    this.#lastUsedAt = now
    if (this.#store.lease().amount === 0) this.#isWatched = false
    try {
      // First: a refill that comes too late for this Job must not lie in the lease with nobody to release it.
      await this.#alarm.at(request.heldUntil ?? now + HOLD_MS)
      const begun = await beginJob(request, record, this.#store, this.#book, now)
      later(this.#careForLease(record, begun, now))
      return begun
    } catch (error) {
      logEvent('lease_failed', { error })
      return STORAGE_UNAVAILABLE
    }
  }

  /** Jobs ended. One may be reported again: it counts once. Those on Hosts of the Session's own account are free. */
  async finish(reports: readonly JobReport[], record: SessionRecord | undefined): Promise<ReportsTaken> {
    const rememberUntil = Date.now() + IDEMPOTENCY_MS
    const ended = reports.map((report) => {
      const credits = charge(report.usage, report.payee === record?.accountId)
      return { report, credits, rememberUntil }
    })
    const { ended: count, unknown } = this.#store.finishJobs(ended)
    if (count > 0) await this.#alarm.at(Date.now() + SETTLE_AFTER_MS)
    await this.#returnRecalled()
    return { unknown }
  }

  /** A Job ended without having delivered anything: its hold is freed. */
  async abandon(jobId: string): Promise<void> {
    this.#store.freeJob(jobId)
    await this.#returnRecalled()
  }

  /** These Jobs still run: their holds stay. */
  async renew(jobIds: readonly string[]): Promise<void> {
    const until = Date.now() + HOLD_MS
    this.#store.renewJobs(jobIds, until)
    await this.#alarm.at(until)
  }

  /** An operator wants back what is not needed, now and as Jobs end. False if the book did not answer. */
  async recall(record: SessionRecord | undefined): Promise<boolean> {
    this.#store.recall()
    // The Session's memory is lost: reconciliation returns what the book holds for it.
    if (record === undefined) return false
    try {
      await this.#book.recall(record, Date.now())
      return true
    } catch (error) {
      logEvent('recall_failed', { error })
      return false
    }
  }

  /** The book has credits in this Session's lease and asks what they are for. */
  async reconcile(owner: LeaseOwner, record: SessionRecord | undefined): Promise<LeaseAnswer> {
    const now = Date.now()
    this.#expireJobs(now)
    const idle = record === undefined || this.#isIdle(record, now)
    return this.#book.reconcile(owner, record, idle, now).catch((error: unknown) => {
      logEvent('reconciliation_failed', { leaseId: owner.leaseId, error })
      return { outcome: 'failed' }
    })
  }

  /** Settles what is finished (rule S3). False if the book did not answer. */
  async settle(record: SessionRecord): Promise<boolean> {
    try {
      await this.#book.settle(record, Date.now())
      return true
    } catch (error) {
      logEvent('settlement_failed', { error })
      return false
    }
  }

  /** What time brings: holds expire, finished Jobs are settled, an idle lease goes back. False if it has to be tried again. */
  async tend(record: SessionRecord, now: number): Promise<boolean> {
    this.#expireJobs(now)
    try {
      await this.#book.noteDrift(ownerOf(record))
      await this.#book.settle(record, now)
      await this.#book.release(record, this.#isIdle(record, now), now)
    } catch (error) {
      logEvent('settlement_failed', { error })
      await this.#alarm.retry(now)
      return false
    }
    this.#alarm.succeeded()
    const expiry = this.#store.nextExpiry()
    if (expiry !== null) await this.#alarm.at(Math.max(expiry, now + SETTLE_AFTER_MS))
    if (this.#store.lease().amount > 0) await this.#alarm.at(now + RELEASE_AFTER_MS)
    return true
  }

  /** True if nothing is held, owed or under way. */
  get isQuiet(): boolean {
    const store = this.#store
    return store.nextExpiry() === null && store.lease().amount === 0 && store.drift() === undefined
  }

  /** What no Job waits for: somebody to watch the lease, and a refill before it runs dry. */
  async #careForLease(record: SessionRecord, begun: Begun | SessionFailure, now: number): Promise<void> {
    const lease = this.#store.lease()
    await Promise.all([
      lease.amount > 0 ? this.#haveWatched() : undefined,
      begun.ok && runsDry(lease, this.#store.lastRefill())
        ? this.#book.topUp(record, begun.budget, now)
        : undefined,
    ]).catch((error: unknown) => logEvent('lease_failed', { error }))
  }

  async #haveWatched(): Promise<void> {
    if (this.#isWatched) return
    this.#isWatched = true
    await bookkeeperStub(this.#env)
      .wake()
      .catch((error: unknown) => {
        this.#isWatched = false
        throw error
      })
  }

  async #returnRecalled(): Promise<void> {
    if (this.#store.lease().returning > 0) await this.#alarm.at(Date.now())
  }

  #isIdle(record: SessionRecord, now: number): boolean {
    return hasEnded(record, now) || now - this.#lastUsedAt >= RELEASE_AFTER_MS
  }

  #expireJobs(now: number): void {
    const expired = this.#store.expireJobs(now)
    if (expired.length > 0) logEvent('holds_expired', { jobIds: expired })
  }
}
