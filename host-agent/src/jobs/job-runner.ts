import {
  type ChatPayload,
  type JobUsage,
  RECEIPT_TYPE,
  type ReceiptClaims,
  type SessionTokenClaims,
} from '@daisi/protocol'
import type { EngineEvent } from '../engine/engine.ts'
import type { Logger } from '../log.ts'
import type { Identity } from '../state/identity.ts'
import type { AdmissionContext } from './admission.ts'
import type { Reservation } from './budget-book.ts'
import type { Job, JobEnding } from './job.ts'

export interface RunnerContext extends AdmissionContext {
  readonly identity: Identity
  readonly logger: Logger
}

/** Takes an admitted job through its slot and the engine to its last message. Asks for the slot before it returns. */
export async function runJob(
  job: Job,
  claims: SessionTokenClaims,
  payload: ChatPayload,
  context: RunnerContext,
): Promise<void> {
  const slot = await context.workbench.slots.acquire(job.abort.signal)
  try {
    // Not accepted yet, so there is no job-end; usually the reason was already given and this one is dropped.
    if (slot === 'ended') job.refuse('busy', 'cancelled before it started')
    else if (slot === 'busy') job.refuse('busy', 'every slot and the queue are full')
    else await new JobRun(job, claims, payload, context).run()
  } finally {
    // A refused job may come again under the same id, when this Host has room.
    if (job.refused) context.replays.remove(claims.sid, job.order.jobId)
    if (typeof slot === 'function') slot()
  }
}

/** The last word of a job that met a fault of this program. Its empty receipt counts as none (R3). */
export function failJob(job: Job): void {
  job.abort.abort()
  job.refuse('engine_failed', 'internal fault')
  const usage = { promptTokens: 0, cachedTokens: 0, generatedTokens: job.generatedTokens }
  const error = { code: 'engine_failed', message: 'internal fault' }
  job.end({ outcome: 'failed', error, receipt: '' }, usage)
}

/** One job in the engine. */
class JobRun {
  readonly #job: Job
  readonly #claims: SessionTokenClaims
  readonly #payload: ChatPayload
  readonly #context: RunnerContext
  #startedAt = 0
  #reservation: Reservation | undefined
  #prompt = { promptTokens: 0, cachedTokens: 0 }

  constructor(job: Job, claims: SessionTokenClaims, payload: ChatPayload, context: RunnerContext) {
    this.#job = job
    this.#claims = claims
    this.#payload = payload
    this.#context = context
  }

  async run(): Promise<void> {
    const job = this.#job
    const { engine } = this.#context.workbench
    const continuation = job.order.continuation?.tokenIds ?? []
    const engineJob = { ...this.#payload, continuation, windowBytes: job.windowBytes }
    const engineRun = engine.run(engineJob, job.abort.signal)
    job.started(engineRun)
    try {
      for await (const event of engineRun) await this.#handle(event, continuation.length)
    } finally {
      this.#reservation?.settle(this.#prompt.promptTokens + job.generatedTokens)
    }
  }

  async #handle(event: EngineEvent, continued: number): Promise<void> {
    const job = this.#job
    switch (event.type) {
      case 'start':
        return this.#start(event.promptTokens, event.cachedTokens, continued)
      case 'delta':
        return job.deliver(event.text, event.tokenIds)
      case 'end': {
        if (event.tokensPerSecond !== undefined) this.#context.workbench.speed.add(event.tokensPerSecond)
        if (event.finishReason === 'cancelled') return this.#end({ outcome: 'cancelled' })
        return this.#end({ outcome: 'completed', finishReason: event.finishReason })
      }
      case 'refused': {
        const { code, message, ...numbers } = event.refusal
        return job.refuse(code, message, numbers)
      }
      case 'failed':
        this.#context.logger.warn(
          { jobId: job.order.jobId, reason: event.message },
          'a job failed in the engine',
        )
        job.refuse('engine_failed', event.message)
        return this.#end({ outcome: 'failed', error: { code: 'engine_failed', message: event.message } })
    }
  }

  /** Sets the worst case aside (T4) and accepts (J2). */
  #start(promptTokens: number, cachedTokens: number, continued: number): void {
    const { budget, clock, workbench } = this.#context
    const answerTokens = Math.min(
      this.#payload.sampling.maxTokens,
      workbench.offer.contextLength - promptTokens,
    )
    const worstCase = promptTokens + Math.max(0, answerTokens - continued)
    this.#reservation = budget.reserve(this.#claims, worstCase, clock.now())
    if (this.#reservation === undefined) {
      const left = budget.left(this.#claims)
      const message = `this job may take ${worstCase} tokens and the session token has ${left} left; lower max_tokens`
      this.#job.refuse('token_budget', message, { promptTokens })
      return this.#job.abort.abort()
    }
    this.#job.accept(promptTokens, cachedTokens)
    if (!this.#job.accepted) return
    this.#startedAt = clock.now()
    this.#prompt = { promptTokens, cachedTokens }
  }

  async #end(end: Omit<JobEnding, 'receipt'>): Promise<void> {
    if (!this.#job.accepted) return
    const { clock } = this.#context
    const usage: JobUsage = { ...this.#prompt, generatedTokens: this.#job.generatedTokens }
    this.#job.end({ ...end, receipt: await this.#receipt(usage, clock.now()) }, usage)
  }

  /** The Host's signed statement of the usage (R1). */
  #receipt(usage: JobUsage, endedAt: number): Promise<string> {
    const { identity, issuer, workbench } = this.#context
    const { sha256 } = workbench.offer
    const claims: ReceiptClaims = {
      iss: identity.hostId,
      aud: issuer,
      jobId: this.#job.order.jobId,
      sid: this.#claims.sid,
      ...(sha256 !== undefined && { modelSha256: sha256 }),
      ...usage,
      startedAt: this.#startedAt,
      endedAt,
    }
    return identity.sign(claims, RECEIPT_TYPE, false)
  }
}
