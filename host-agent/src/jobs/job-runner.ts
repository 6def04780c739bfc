import {
  capability,
  type JobUsage,
  RECEIPT_TYPE,
  type ReceiptClaims,
  type SessionTokenClaims,
} from '@daisi/protocol'
import { monotonicClock } from '../clock.ts'
import type { EngineEvent, EngineWork } from '../engine/engine.ts'
import type { Logger } from '../log.ts'
import type { ModelLease } from '../models/shelved-model.ts'
import type { Identity } from '../state/identity.ts'
import type { AdmissionContext } from './admission.ts'
import type { Reservation } from './budget-book.ts'
import type { Job, JobEnding } from './job.ts'
import { isPaidByResult, mostGenerated } from './work.ts'

export interface RunnerContext extends AdmissionContext {
  readonly identity: Identity
  readonly logger: Logger
  /** True if jobs of this Host's owner go before others that wait. */
  readonly ownFirst: () => boolean
}

/** An admitted job. */
export interface AdmittedWork {
  readonly claims: SessionTokenClaims
  readonly work: EngineWork
  readonly lease: ModelLease
}

/** Takes an admitted job through its slot and the engine to its last message. Asks for the slot before it returns. */
export async function runJob(job: Job, admitted: AdmittedWork, context: RunnerContext): Promise<void> {
  const { claims, lease } = admitted
  const { workbench, ownFirst } = context
  try {
    const slot = await workbench.slots.acquire(job.abort.signal, claims.own === true && ownFirst())
    try {
      // Not accepted yet, so there is no job-end; usually the reason was already given and this one is dropped.
      if (slot === 'ended') job.refuse('busy', 'cancelled before it started')
      else if (slot === 'busy') job.refuse('busy', 'every slot and the queue are full')
      else await new JobRun(job, admitted, context).run()
    } finally {
      if (typeof slot === 'function') slot()
    }
  } finally {
    // A refused job may come again under the same id, when this Host has room.
    if (job.refused) context.replays.remove(claims.sid, job.order.jobId)
    lease.release()
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
  readonly #work: EngineWork
  readonly #lease: ModelLease
  readonly #context: RunnerContext
  #startedAt = 0
  #reservation: Reservation | undefined
  #prompt = { promptTokens: 0, cachedTokens: 0 }
  #outcome: JobEnding['outcome'] = 'failed'
  /** Tokens that the engine counts at the end, where that is fewer than it delivered. */
  #counted = Number.POSITIVE_INFINITY

  constructor(job: Job, { claims, work, lease }: AdmittedWork, context: RunnerContext) {
    this.#job = job
    this.#claims = claims
    this.#work = work
    this.#lease = lease
    this.#context = context
  }

  async run(): Promise<void> {
    const job = this.#job
    const engineRun = this.#lease.engine.run(
      { ...this.#work, windowBytes: job.windowBytes, scope: this.#claims.sid },
      job.abort.signal,
    )
    job.started(engineRun)
    const startedMs = monotonicClock.now()
    try {
      for await (const event of engineRun) await this.#handle(event)
    } finally {
      this.#reservation?.settle(this.#prompt.promptTokens + job.generatedTokens)
      if (job.accepted || job.ended) this.#log(monotonicClock.now() - startedMs)
    }
  }

  async #handle(event: EngineEvent): Promise<void> {
    const job = this.#job
    switch (event.type) {
      case 'start':
        return this.#start(event.promptTokens, event.cachedTokens)
      case 'delta': {
        const { text, parts, tokenIds, logprobs, tokenCount = tokenIds.length } = event
        this.#context.workbench.log.generated(tokenCount, monotonicClock.now())
        const known = { tokenIds, tokenCount, ...(logprobs && { logprobs }) }
        if (parts === undefined) return job.deliver({ kind: 'text', text, ...known })
        return job.deliver({ kind: 'parts', parts, text: JSON.stringify(parts), ...known })
      }
      case 'result': {
        const { text, last, tokenCount } = event
        this.#context.workbench.log.generated(tokenCount, monotonicClock.now())
        return job.deliver({ kind: 'result', text, last, tokenCount })
      }
      case 'end': {
        if (event.tokensPerSecond !== undefined) this.#lease.model.speed.add(event.tokensPerSecond)
        this.#correct(event.usage)
        if (event.finishReason === 'cancelled') return this.#end({ outcome: 'cancelled' })
        return this.#end({ outcome: 'completed', finishReason: event.finishReason })
      }
      case 'refused': {
        const { code, message, ...facts } = event.refusal
        return job.refuse(code, message, facts)
      }
      case 'failed':
        this.#context.logger.warn(
          { jobId: job.order.jobId, reason: event.message },
          'a job failed in the engine',
        )
        job.refuse('engine_failed', event.message)
        // One who only estimated the prompt has nothing to show for it.
        if (!this.#lease.model.offer.capabilities.includes(capability.tokenIds))
          this.#prompt = { promptTokens: 0, cachedTokens: 0 }
        return this.#end({ outcome: 'failed', error: { code: 'engine_failed', message: event.message } })
    }
  }

  /** Sets the worst case aside (T4) and accepts (J2). */
  #start(promptTokens: number, cachedTokens: number): void {
    const { budget, clock, workbench } = this.#context
    const { model } = this.#lease
    const worstCase = promptTokens + mostGenerated(this.#work, promptTokens, model.offer.contextLength)
    this.#reservation = budget.reserve(this.#claims, worstCase, clock.now())
    if (this.#reservation === undefined) {
      const left = budget.left(this.#claims)
      const message = `this job may take ${worstCase} tokens and the session token has ${left} left; lower max_tokens`
      this.#job.refuse('token_budget', message, { promptTokens })
      return this.#job.abort.abort()
    }
    if (!isPaidByResult(this.#work)) this.#prompt = { promptTokens, cachedTokens }
    this.#job.accept(this.#prompt.promptTokens, this.#prompt.cachedTokens)
    if (!this.#job.accepted) return
    this.#startedAt = clock.now()
    workbench.log.began(this.#item)
  }

  /** An engine that could only estimate knows at the end what it was: less, never more. */
  #correct({ promptTokens, cachedTokens, generatedTokens }: JobUsage): void {
    const counted = Math.min(promptTokens, this.#prompt.promptTokens)
    this.#prompt = { promptTokens: counted, cachedTokens: Math.min(counted, cachedTokens) }
    this.#counted = generatedTokens
  }

  get #usage(): JobUsage {
    return { ...this.#prompt, generatedTokens: Math.min(this.#job.generatedTokens, this.#counted) }
  }

  async #end(end: Omit<JobEnding, 'receipt'>): Promise<void> {
    if (!this.#job.accepted) return
    this.#outcome = end.outcome
    const { clock } = this.#context
    const usage = this.#usage
    this.#job.end({ ...end, receipt: await this.#receipt(usage, clock.now()) }, usage)
  }

  get #item(): { model: string; kind: EngineWork['kind']; own: boolean } {
    return { model: this.#lease.model.offer.id, kind: this.#work.kind, own: this.#claims.own === true }
  }

  #log(durationMs: number): void {
    const done = { ...this.#item, outcome: this.#outcome, usage: this.#usage, durationMs }
    this.#context.workbench.log.ended(done)
  }

  /** The Host's signed statement of the usage (R1). */
  #receipt(usage: JobUsage, endedAt: number): Promise<string> {
    const { identity, issuer } = this.#context
    const { sha256 } = this.#lease.model.offer
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
