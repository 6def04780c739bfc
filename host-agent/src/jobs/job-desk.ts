import type { Cancel, Credit, Hello, Run } from '@daisi/protocol'
import { verifySessionToken } from '../tokens/verify-session-token.ts'
import { admit } from './admission.ts'
import { Job } from './job.ts'
import { failJob, runJob, type RunnerContext } from './job-runner.ts'
import { type JobOutlet, OrcDelivery } from './orc-delivery.ts'

/** How long jobs go on without a connection: one reconnect (J6). */
export const ORPHAN_DEADLINE_MS = 10_000

/** A job that came from the Orc. */
interface OrcJob {
  readonly job: Job
  readonly run: Run
  readonly delivery: OrcDelivery
}

/** The jobs of one Orc. It outlives single connections: `attach` and `detach` say which one is live. */
export class JobDesk {
  readonly #context: () => RunnerContext
  readonly #jobs = new Map<string, OrcJob>()
  readonly #idle: (() => void)[] = []
  #entered: Promise<void> = Promise.resolve()
  #outlet: JobOutlet | undefined
  #cancelOrphanTimer: (() => void) | undefined

  /** `context` is read for each job, since issuer and networks are known only once connected. */
  constructor(context: () => RunnerContext) {
    this.#context = context
  }

  /** Jobs that outlived their connection, for `hello` (H3). */
  get running(): Hello['running'] {
    return [...this.#jobs].map(([jobId, { delivery }]) => ({ jobId, nextSequence: delivery.nextSequence }))
  }

  /** A connection is live. Jobs that the Orc does not want back are cancelled (H3). */
  attach(outlet: JobOutlet, resume: readonly string[]): void {
    this.#cancelOrphanTimer?.()
    this.#outlet = outlet
    for (const [jobId, { job, delivery }] of this.#jobs) {
      const wanted = resume.includes(jobId)
      if (!wanted) job.abort.abort()
      delivery.attach(outlet, wanted)
      this.#sweep(jobId)
    }
  }

  /** The connection is gone. Accepted jobs go on for a while (J6); what waited is forgotten, the Orc asks elsewhere. */
  detach(): void {
    this.#outlet = undefined
    for (const [jobId, { job, delivery }] of this.#jobs) {
      delivery.detach()
      if (!isPending(job)) continue
      job.refuse('busy', 'the connection was lost')
      job.abort.abort()
      this.#jobs.delete(jobId)
    }
    this.#cancelOrphanTimer?.()
    this.#cancelOrphanTimer = this.#context().clock.after(ORPHAN_DEADLINE_MS, () => this.abandon())
  }

  /** Cancels everything and forgets it without a word: there is nobody to tell. */
  abandon(): void {
    this.#cancelOrphanTimer?.()
    for (const { job } of this.#jobs.values()) job.abort.abort()
    this.#jobs.clear()
    this.#wakeIdle()
  }

  /** Starts a job. Its messages go to the live connection. */
  async start(run: Run): Promise<void> {
    const outlet = this.#outlet
    if (outlet === undefined) return
    const delivery = new OrcDelivery(run.jobId, run.windowBytes, outlet)
    const job = new Job(run, delivery)
    if (this.#jobs.has(run.jobId)) return job.refuse('job_replayed', 'a job with this id is running')
    const entry = { job, run, delivery }
    this.#jobs.set(run.jobId, entry)
    const context = this.#context()
    try {
      const entering = this.#enter(entry, context, this.#entered)
      this.#entered = settled(entering)
      await (
        await entering
      ).done
    } catch (error) {
      context.logger.error({ jobId: run.jobId, err: error }, 'a job ended with a fault of this program')
      failJob(job)
    } finally {
      this.#sweep(run.jobId)
    }
  }

  /** Verifies at once, but takes the jobs into the queue in the order in which they came. */
  async #enter(
    { job, run }: OrcJob,
    context: RunnerContext,
    before: Promise<void>,
  ): Promise<{ readonly done: Promise<void> }> {
    const expected = { ...context, mode: 'orchestrated', nowMs: context.clock.now() } as const
    const verdict = await verifySessionToken(run.sessionToken, expected)
    await before
    const admission = admit(run, verdict, context)
    const { ok } = admission
    context.logger.debug({ jobId: run.jobId, ...(ok ? { ok } : { code: admission.code }) }, 'job')
    if (ok) return { done: runJob(job, admission, context) }
    job.refuse(admission.code, admission.message, admission.facts)
    return { done: Promise.resolve() }
  }

  /** Stops a job within one token (J5); one that was not accepted yet is refused instead. Unknown jobs are ignored (J7). */
  cancel({ jobId }: Cancel): void {
    const job = this.#jobs.get(jobId)?.job
    job?.refuse('busy', 'cancelled before it started')
    job?.abort.abort()
  }

  /** Passes credit on (F5). Unknown jobs are ignored (J7). */
  credit({ jobId, bytes, ackedSequence }: Credit): void {
    const entry = this.#jobs.get(jobId)
    entry?.delivery.acknowledged(ackedSequence)
    entry?.job.grant(bytes)
  }

  /** Refuses what is not accepted yet, so that the Orc finds another Host for it (H5). */
  refuseWaiting(): void {
    for (const { job } of this.#jobs.values()) {
      if (!isPending(job)) continue
      job.refuse('draining', 'this Host takes no new jobs')
      job.abort.abort()
    }
  }

  /** Cancels every job; each still ends with its `job-end`. */
  cancelAll(): void {
    for (const jobId of this.#jobs.keys()) this.cancel({ type: 'cancel', jobId })
  }

  /** Resolves when no job is left. */
  idle(): Promise<void> {
    if (this.#jobs.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.#idle.push(resolve))
  }

  #sweep(jobId: string): void {
    const entry = this.#jobs.get(jobId)
    if (entry !== undefined && isOver(entry)) this.#jobs.delete(jobId)
    if (this.#jobs.size === 0) this.#wakeIdle()
  }

  #wakeIdle(): void {
    for (const resolve of this.#idle.splice(0)) resolve()
  }
}

function isPending(job: Job): boolean {
  return !job.accepted && !job.ended && !job.refused
}

/** True if the Orc got, or no longer waits for, the last message. */
function isOver({ job, delivery }: OrcJob): boolean {
  return job.refused || (job.ended && !delivery.waiting)
}

/** Resolves when the promise does either. */
async function settled(promise: Promise<unknown>): Promise<void> {
  await Promise.allSettled([promise])
}
