import type { Lease } from '../../src/domain/money/lease.ts'
import { type EndedJob, LeaseStore, type NewJob } from '../../src/objects/session/lease-store.ts'
import type { PendingWrite } from '../../src/objects/session/pending-write.ts'
import type { JobReport } from '../../src/objects/session/types.ts'

/** A Job as the model knows it. */
export interface ModelJob {
  readonly id: string
  readonly hold: number
  readonly key: string | undefined
  expiresAt: number
  /** `gone`: it delivered nothing or nobody spoke for it, and nothing is paid. */
  state: 'open' | 'delivered' | 'gone'
  /** What it costs, and whose work it was. */
  due: { readonly report: JobReport; readonly credits: number } | undefined
}

/**
 * What one Session's money must look like, in the simplest terms: a Job that opened holds credits until it is reported, once,
 * or its hold ends; only a report that came in time and delivered something is paid, never beyond the hold.
 */
export class SessionModel {
  readonly jobs = new Map<string, ModelJob>()
  readonly #answered = new Map<string, number>()
  /** Credits that may come into the lease without the Session's knowledge, as do those of a refused refill that is carried out late. */
  strays = 0
  /** Credits over the Session's life, or null. */
  readonly budget: number | null
  constructor(budget: number | null) {
    this.budget = budget
  }

  opened({ id, hold, expiresAt, idempotency }: NewJob): void {
    const key = idempotency?.key
    if (this.jobs.has(id)) throw new Error(`${id} opened twice`)
    if (key !== undefined && (this.#isRunning(key) || this.#answered.has(key)))
      throw new Error(`${id} repeats a request that runs or was answered`)
    this.jobs.set(id, { id, hold, key, expiresAt, state: 'open', due: undefined })
  }

  /** Takes reports. Answers how many Jobs end by them, and how many are of Jobs that are not or no longer known. */
  finished(reports: readonly EndedJob[]): { readonly ended: number; readonly unknown: number } {
    const outcomes = reports.map((report) => this.#finished(report))
    return {
      ended: outcomes.filter((outcome) => outcome === 'ended').length,
      unknown: outcomes.filter((outcome) => outcome === 'unknown').length,
    }
  }

  #finished({ report, credits, rememberUntil }: EndedJob): 'ended' | 'repeated' | 'unknown' {
    const job = this.jobs.get(report.jobId)
    if (job?.state === 'delivered') return 'repeated'
    if (job?.state !== 'open') return 'unknown'
    job.state = report.usage.generatedTokens > 0 ? 'delivered' : 'gone'
    if (job.state === 'gone') return 'ended'
    job.due = { report, credits: Math.min(credits, job.hold) }
    if (job.key !== undefined) this.#answered.set(job.key, rememberUntil)
    return 'ended'
  }

  /** A Job never reached a Host. */
  freed(jobId: string): void {
    const job = this.jobs.get(jobId)
    if (job?.state === 'open') job.state = 'gone'
  }

  renewed(jobId: string, expiresAt: number): void {
    const job = this.jobs.get(jobId)
    if (job?.state === 'open') job.expiresAt = expiresAt
  }

  /** Ends holds and forgets keys. Answers whose holds ended. */
  expired(now: number): string[] {
    const ended = this.#open().filter((job) => job.expiresAt <= now)
    for (const job of ended) job.state = 'gone'
    for (const [key, until] of this.#answered) if (until <= now) this.#answered.delete(key)
    return ended.map((job) => job.id)
  }

  /** Credits that running Jobs hold. */
  held(): number {
    return this.#open().reduce((sum, job) => sum + job.hold, 0)
  }
  /** Credits that all Jobs together cost. */
  credits(): number {
    return this.delivered().reduce((sum, { credits }) => sum + credits, 0)
  }
  delivered(): { readonly report: JobReport; readonly credits: number }[] {
    return [...this.jobs.values()].flatMap(({ due }) => (due === undefined ? [] : [due]))
  }

  #open(): ModelJob[] {
    return [...this.jobs.values()].filter((job) => job.state === 'open')
  }
  #isRunning(key: string): boolean {
    return this.#open().some((job) => job.key === key)
  }
}

/** The real store, which tells the model at the very moment when a Job opens or a refill is given up. */
export class ObservedLeaseStore extends LeaseStore {
  readonly #model: SessionModel
  constructor(storage: DurableObjectStorage, model: SessionModel) {
    super(storage)
    this.#model = model
  }
  override openJob(job: NewJob): boolean {
    const opened = super.openJob(job)
    if (opened) this.#model.opened(job)
    return opened
  }
  override abandonWrite(): void {
    this.#model.strays += moved(this.pending())
    super.abandonWrite()
  }
}

/** How a Session's storage stands. */
export interface Snapshot {
  readonly lease: Lease
  readonly pending: PendingWrite | undefined
  /** Credits over the Session's life. */
  readonly credits: number
}

/** What is wrong with a Session whose lease has `book` credits in the book, whatever is under way between the two. */
export function disagreement(
  { lease, pending, credits }: Snapshot,
  model: SessionModel,
  book: number,
): string | undefined {
  const { amount, held, owed } = lease
  const under = moved(pending)
  const paying = pending?.kind === 'settle' ? under : 0
  const moving = under - paying
  const facts = JSON.stringify({ ...lease, book, pending: pending?.kind, under })
  if (held + owed > amount) return `Jobs count on more than there is: ${facts}`
  if (held !== model.held()) return `running Jobs hold ${model.held()}: ${facts}`
  if (credits !== model.credits()) return `Jobs cost ${model.credits()}, not ${credits}: ${facts}`
  if (model.budget !== null && credits + held > model.budget) return `beyond the budget: ${facts}`
  if (amount > book + paying) return `the lease has credits that the book has not: ${facts}`
  if (book > amount + moving + model.strays) return `the book has credits that nobody knows of: ${facts}`
  return undefined
}

/** Credits that a write moves into or out of the lease. */
function moved(write: PendingWrite | undefined): number {
  if (write === undefined) return 0
  return write.kind === 'settle' ? write.entry.settlement.credits : write.transfer.amount
}
