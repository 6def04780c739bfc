import { randomBytes } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import {
  ChatWriter,
  DIRECT_CHAT_PATH,
  DIRECT_WINDOW_TOKENS,
  type DirectReport,
  type SessionTokenClaims,
} from '@daisi/protocol'
import { admit } from '../jobs/admission.ts'
import { Job } from '../jobs/job.ts'
import { failJob, runJob, type RunnerContext } from '../jobs/job-runner.ts'
import { ReplayCache } from '../jobs/replay-cache.ts'
import { CLOCK_TOLERANCE_SECONDS } from '../tokens/verify-session-token.ts'
import { Arrears } from './arrears.ts'
import { authorize, type Authorized } from './authorize.ts'
import { type ChatOrder, readChat } from './chat-order.ts'
import { DirectDelivery } from './direct-delivery.ts'
import { type DirectFailure, failure } from './direct-failure.ts'
import { DirectJob } from './direct-job.ts'
import type { ReportBook } from './report-book.ts'
import { Reporter } from './reporter.ts'
import { settleJob } from './settlement.ts'
import { SharedWindow } from './token-window.ts'

/** Jobs that are remembered for late acknowledgements at most. */
const MOST_REMEMBERED = 10_000

/** Unacknowledged tokens of jobs that are over, which leave those that begin enough of the window. */
const MOST_LEFT_BEHIND = DIRECT_WINDOW_TOKENS / 4

interface Entry {
  readonly directJob: DirectJob
  readonly job: Job
  /** Reports the job now, when it is over and its last acknowledgement is waited for. */
  letGo: (() => void) | undefined
}

/** The jobs of Direct Connections in Sessions of one Orc. It works whether or not that Orc can be reached. */
export class DirectDesk {
  readonly #context: () => RunnerContext
  readonly #book: ReportBook
  readonly #reporter: Reporter
  readonly #address: string
  readonly #openedAtMs: number
  readonly #entries = new Map<string, Entry>()
  readonly #proofs = new ReplayCache()
  readonly #arrears = new Arrears()
  readonly #idle: (() => void)[] = []
  /** True when there is no time left to wait for last acknowledgements. */
  #isHurried = false
  readonly #leave: (desk: DirectDesk) => void

  /** `context` is read for each job. `leave` is called when the Orc is not served any more. */
  constructor(options: {
    readonly context: () => RunnerContext
    readonly book: ReportBook
    readonly endpoint: string
    readonly leave: (desk: DirectDesk) => void
  }) {
    this.#context = options.context
    this.#book = options.book
    this.#address = options.endpoint + DIRECT_CHAT_PATH
    this.#leave = options.leave
    const { clock } = options.context()
    this.#openedAtMs = clock.now()
    this.#reporter = new Reporter(options.book, clock)
  }

  /** Name of the Orc, or '' as long as none is known. */
  get issuer(): string {
    return this.#context().issuer
  }

  /** Checks token and proof of a request, before a body is read. The proof is used up by this. */
  authorize(sessionToken: string, proof: string): Promise<Authorized | DirectFailure> {
    const context = this.#context()
    return authorize(sessionToken, proof, {
      ...context,
      address: this.#address,
      sinceMs: this.#openedAtMs,
      proofs: this.#proofs,
      nowMs: context.clock.now(),
    })
  }

  /** Does the job of an authorized request and answers it. Resolves when it is over. */
  async serve(
    authorized: Authorized,
    body: Uint8Array,
    response: ServerResponse,
  ): Promise<DirectFailure | undefined> {
    const { claims, jobId } = authorized
    const context = this.#context()
    if (!authorized.provesBody(body)) return failure('proof_invalid', 'the proof is for another body')
    const read = readChat(body, context.budget.left(claims))
    if (!read.ok) return read
    if (claims.model === undefined || read.order.model !== claims.model)
      return failure(
        'token_invalid',
        'the session token is for another model; request one for this model',
        'model',
      )
    const problem = unservedParameter(read.order, context) ?? this.#problemOf(authorized, context)
    if (problem !== undefined) return problem
    const entry = this.#open(authorized, read.order, response, context)
    const { job } = entry
    const admission = admit(job.order, { ok: true, claims }, context)
    context.logger.debug({ jobId, direct: true, ...(!admission.ok && { code: admission.code }) }, 'job')
    try {
      if (admission.ok) await runJob(job, admission, context)
      else job.refuse(admission.code, admission.message, admission.facts)
    } catch (error) {
      context.logger.error({ jobId, err: error }, 'a job ended with a fault of this program')
      failJob(job)
    } finally {
      this.#over(entry)
    }
    return undefined
  }

  /** A job that may be acknowledged. */
  find(jobId: string): DirectJob | undefined {
    return this.#entries.get(jobId)?.directJob
  }

  /** The Orc is there: it hears what it has not noted yet (D8). */
  online(send: (report: DirectReport) => void): void {
    this.#reporter.online(send)
  }

  offline(): void {
    this.#reporter.offline()
  }

  noted(jobIds: readonly string[]): Promise<void> {
    return this.#reporter.noted(jobIds)
  }

  /** Nothing more begins under these tokens (D9). What runs goes on; what waits for a slot has not begun. */
  revoked(tokenIds: readonly string[]): Promise<void> {
    for (const { job, directJob } of this.#entries.values())
      if (tokenIds.includes(directJob.claims.jti)) {
        job.refuse('token_invalid', 'the session token was revoked')
        if (job.refused) job.abort.abort()
      }
    return this.#book.revoke(tokenIds, this.#context().clock.now())
  }

  /** Refuses what is not accepted yet (H5). */
  refuseWaiting(): void {
    for (const { job } of this.#entries.values()) {
      job.refuse('draining', 'this Host takes no new jobs')
      if (job.refused) job.abort.abort()
    }
  }

  /** Lets running jobs end, and their last acknowledgements come; when the deadline is aborted, waits for neither. */
  async drain(deadline: AbortSignal): Promise<void> {
    this.refuseWaiting()
    if (deadline.aborted) this.cancelAll()
    else deadline.addEventListener('abort', () => this.cancelAll(), { once: true })
    if (!this.#isIdle) await new Promise<void>((resolve) => this.#idle.push(resolve))
    await this.#book.settled()
  }

  cancelAll(): void {
    this.#isHurried = true
    for (const { job, letGo } of this.#entries.values()) {
      job.refuse('draining', 'this Host stops')
      job.abort.abort()
      letGo?.()
    }
  }

  /** The Orc is not served any more: nothing begins, and what runs is cancelled. */
  abandon(): void {
    this.#leave(this)
    this.#reporter.offline()
    this.cancelAll()
  }

  get #isIdle(): boolean {
    return [...this.#entries.values()].every((entry) => isOver(entry.job) && entry.letGo === undefined)
  }

  #problemOf({ claims, jobId }: Authorized, { clock }: RunnerContext): DirectFailure | undefined {
    if (this.#book.isRevoked(claims.jti)) return failure('token_invalid', 'the session token was revoked')
    if (this.#entries.has(jobId) || this.#book.has(jobId))
      return failure('job_replayed', 'a job with this id is known; make a new proof')
    this.#forgetExpired(clock.now())
    if (this.#book.isFull || this.#entries.size >= MOST_REMEMBERED)
      return failure('busy', 'too many jobs wait to be reported; use another Host')
    return this.#isOwing(claims, clock.now())
      ? failure('unacknowledged', 'acknowledge the answers to earlier requests first')
      : undefined
  }

  #open(
    { claims, jobId, sessionToken, thumbprint }: Authorized,
    { model, payload, includeUsage }: ChatOrder,
    response: ServerResponse,
    { clock }: RunnerContext,
  ): Entry {
    const directJob = new DirectJob(jobId, sessionToken, claims, thumbprint, this.#windowOf(claims))
    const created = Math.floor(clock.now() / 1000)
    const identity = { id: `chatcmpl-${randomBytes(16).toString('hex')}`, created, model }
    const delivery = new DirectDelivery({
      response,
      directJob,
      writer: new ChatWriter(identity, { includeUsage }),
      clock,
    })
    const job = new Job({ jobId, kind: 'chat', model: { id: model }, sealed: false, payload }, delivery)
    const entry: Entry = { directJob, job, letGo: undefined }
    this.#entries.set(jobId, entry)
    delivery.bind(job)
    return entry
  }

  /** Whether too much is unacknowledged for another job: under this token, or under any lately (D5). */
  #isOwing(claims: SessionTokenClaims, nowMs: number): boolean {
    if (this.#windowOf(claims).room === 0) return true
    let leftBehind = 0
    for (const { directJob, job, letGo } of this.#entries.values())
      if (directJob.claims.jti === claims.jti && isOver(job) && letGo === undefined)
        leftBehind += directJob.window.open
    return leftBehind > MOST_LEFT_BEHIND || this.#arrears.of(claims, nowMs) > DIRECT_WINDOW_TOKENS
  }

  /** The window that all jobs of a token share. */
  #windowOf({ jti }: SessionTokenClaims): SharedWindow {
    for (const { directJob } of this.#entries.values())
      if (directJob.claims.jti === jti) return directJob.window.shared
    return new SharedWindow()
  }

  #over(entry: Entry): void {
    const { job, directJob } = entry
    const { jobId, claims, window } = directJob
    if (job.refused) this.#entries.delete(jobId)
    else {
      this.#arrears.remember(jobId, claims, window, this.#context().clock.now())
      this.#settle(entry)
    }
    this.#wakeIdle()
  }

  #settle(entry: Entry): void {
    const { directJob } = entry
    let isSettled = false
    const letGo = settleJob({
      directJob,
      book: this.#book,
      reporter: this.#reporter,
      clock: this.#context().clock,
      onSettled: () => {
        isSettled = true
        entry.letGo = undefined
        this.#wakeIdle()
      },
      onComplete: () => this.#entries.delete(directJob.jobId),
    })
    if (isSettled) return
    entry.letGo = letGo
    if (this.#isHurried) letGo()
  }

  #forgetExpired(nowMs: number): void {
    for (const [jobId, { directJob, job, letGo }] of this.#entries) {
      const isExpired = (directJob.claims.exp + CLOCK_TOLERANCE_SECONDS) * 1000 < nowMs
      // A token may expire while its job runs (T6): the last acknowledgement still has its time.
      if (isExpired && isOver(job) && letGo === undefined) this.#entries.delete(jobId)
    }
  }

  #wakeIdle(): void {
    if (this.#isIdle) for (const resolve of this.#idle.splice(0)) resolve()
  }
}

function isOver(job: Job): boolean {
  return job.refused || job.ended
}

/** A parameter that the model, or its server, would not follow is refused, never ignored (A9). */
function unservedParameter(
  { model, needs }: ChatOrder,
  { workbench }: RunnerContext,
): DirectFailure | undefined {
  const capabilities = workbench.models.find(model)?.offer.capabilities
  const need = needs.find(({ capability }) => capabilities?.includes(capability) === false)
  if (need === undefined) return undefined
  const message = `this Host cannot follow \`${need.parameter}\` with ${model}; leave it out`
  return failure('unsupported_parameter', message, need.parameter)
}
