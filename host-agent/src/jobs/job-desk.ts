import type { Cancel, Credit, Hello, Run } from '@daisi/protocol'
import { verifySessionToken } from '../tokens/verify-session-token.ts'
import { admit } from './admission.ts'
import { Job, type JobOutlet } from './job.ts'
import { runJob, type RunnerContext } from './job-runner.ts'

/** How long jobs go on without a connection: one reconnect (J6). */
export const ORPHAN_DEADLINE_MS = 10_000

/** The jobs of one Orc. It outlives single connections: `attach` and `detach` say which one is live. */
export class JobDesk {
  readonly #context: () => RunnerContext
  readonly #jobs = new Map<string, Job>()
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
    return [...this.#jobs.values()].map((job) => ({ jobId: job.run.jobId, nextSequence: job.nextSequence }))
  }

  /** A connection is live. Jobs that the Orc does not want back are cancelled (H3). */
  attach(outlet: JobOutlet, resume: readonly string[]): void {
    this.#cancelOrphanTimer?.()
    this.#outlet = outlet
    for (const [jobId, job] of this.#jobs) {
      const wanted = resume.includes(jobId)
      if (!wanted) job.abort.abort()
      job.attach(outlet, wanted)
      this.#sweep(jobId)
    }
  }

  /** The connection is gone. Accepted jobs go on for a while (J6); what waited is forgotten, the Orc asks elsewhere. */
  detach(): void {
    this.#outlet = undefined
    for (const [jobId, job] of this.#jobs) {
      job.detach()
      if (job.accepted || job.over) continue
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
    for (const job of this.#jobs.values()) job.abort.abort()
    this.#jobs.clear()
    this.#wakeIdle()
  }

  /** Starts a job. Its messages go to the live connection. */
  async start(run: Run): Promise<void> {
    const outlet = this.#outlet
    if (outlet === undefined) return
    const job = new Job(run, outlet)
    if (this.#jobs.has(run.jobId)) return job.refuse('job_replayed', 'a job with this id is running')
    this.#jobs.set(run.jobId, job)
    const context = this.#context()
    try {
      const entering = this.#enter(job, context, this.#entered)
      this.#entered = settled(entering)
      await (
        await entering
      ).done
    } catch (error) {
      context.logger.error({ jobId: run.jobId, err: error }, 'a job ended with a fault of this program')
      this.#fail(job)
    } finally {
      this.#sweep(run.jobId)
    }
  }

  /** Verifies at once, but takes the jobs into the queue in the order in which they came. */
  async #enter(
    job: Job,
    context: RunnerContext,
    before: Promise<void>,
  ): Promise<{ readonly done: Promise<void> }> {
    const verdict = await verifySessionToken(job.run.sessionToken, { ...context, nowMs: context.clock.now() })
    await before
    const admission = admit(job.run, verdict, context)
    const { ok } = admission
    context.logger.debug({ jobId: job.run.jobId, ...(ok ? { ok } : { code: admission.code }) }, 'job')
    if (ok) return { done: runJob(job, admission.claims, admission.payload, context) }
    job.refuse(admission.code, admission.message)
    return { done: Promise.resolve() }
  }

  /** Stops a job within one token (J5); one that was not accepted yet is refused instead. Unknown jobs are ignored (J7). */
  cancel({ jobId }: Cancel): void {
    const job = this.#jobs.get(jobId)
    job?.refuse('busy', 'cancelled before it started')
    job?.abort.abort()
  }

  /** Passes credit on (F5). Unknown jobs are ignored (J7). */
  credit({ jobId, bytes, ackedSequence }: Credit): void {
    this.#jobs.get(jobId)?.credit(bytes, ackedSequence)
  }

  /** Refuses what is not accepted yet, so that the Orc finds another Host for it (H5). */
  refuseWaiting(): void {
    for (const job of this.#jobs.values()) {
      if (job.accepted || job.over) continue
      job.refuse('draining', 'this Host takes no new jobs')
      job.abort.abort()
    }
  }

  /** Cancels every job; each still ends with its `job-end`. */
  cancelAll(): void {
    for (const job of this.#jobs.values()) this.cancel({ type: 'cancel', jobId: job.run.jobId })
  }

  /** Resolves when no job is left. */
  idle(): Promise<void> {
    if (this.#jobs.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.#idle.push(resolve))
  }

  /** The last message of a job that met a fault of this program. Its empty receipt counts as none (R3). */
  #fail(job: Job): void {
    job.abort.abort()
    job.refuse('engine_failed', 'internal fault')
    const usage = { promptTokens: 0, cachedTokens: 0, generatedTokens: job.generatedTokens }
    job.end(
      { outcome: 'failed', error: { code: 'engine_failed', message: 'internal fault' }, receipt: '' },
      usage,
    )
  }

  #sweep(jobId: string): void {
    if (this.#jobs.get(jobId)?.over === true) this.#jobs.delete(jobId)
    if (this.#jobs.size === 0) this.#wakeIdle()
  }

  #wakeIdle(): void {
    for (const resolve of this.#idle.splice(0)) resolve()
  }
}

/** Resolves when the promise does either. */
async function settled(promise: Promise<unknown>): Promise<void> {
  await Promise.allSettled([promise])
}
