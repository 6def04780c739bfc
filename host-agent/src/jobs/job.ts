import type { JobEnd, JobUsage, RefusalCode, Run } from '@daisi/protocol'
import type { EngineRun } from '../engine/engine.ts'
import type { JobDelivery, JobOutput, RefusalFacts } from './job-delivery.ts'

/** What is to be done, however it was asked for. */
export type JobOrder = Pick<Run, 'jobId' | 'kind' | 'model' | 'sealed' | 'payload' | 'continuation'>

/** How a job ends; the rest of `job-end` is known here. */
export type JobEnding = Omit<JobEnd, 'type' | 'jobId' | 'usage'>

/** Longest text of a refusal or an error on the wire. */
const LONGEST_MESSAGE = 512

/**
 * One job: its state and its meter. It becomes `accepted` and then `ended`, or `refused`; what comes too late for its state
 * is dropped, so that its end is one and the last (J4). Its delivery decides how the other side hears of it.
 */
export class Job {
  readonly order: JobOrder
  readonly abort = new AbortController()
  readonly #delivery: JobDelivery
  #state: 'pending' | 'accepted' | 'ended' | 'refused' = 'pending'
  #engineRun: EngineRun | undefined
  #windowBytes: number
  #generatedTokens = 0

  constructor(order: JobOrder, delivery: JobDelivery) {
    this.order = order
    this.#delivery = delivery
    this.#windowBytes = delivery.windowBytes
  }

  get accepted(): boolean {
    return this.#state === 'accepted'
  }

  get refused(): boolean {
    return this.#state === 'refused'
  }

  /** True if it was accepted and its last message is made. */
  get ended(): boolean {
    return this.#state === 'ended'
  }

  /** Tokens in the pieces that were delivered. */
  get generatedTokens(): number {
    return this.#generatedTokens
  }

  /** Bytes of frames that may be produced before a grant: the window, and what was granted before the start. */
  get windowBytes(): number {
    return this.#windowBytes
  }

  /** The engine works on it: from now on grants go there. */
  started(engineRun: EngineRun): void {
    this.#engineRun = engineRun
  }

  accept(promptTokens: number, cachedTokens: number): void {
    if (this.#state !== 'pending') return
    this.#state = 'accepted'
    this.#delivery.accepted(promptTokens, cachedTokens)
  }

  refuse(code: RefusalCode, message: string, facts: RefusalFacts = {}): void {
    if (this.#state !== 'pending') return
    this.#state = 'refused'
    this.#delivery.refused(code, message.slice(0, LONGEST_MESSAGE), facts)
  }

  /** Hands a piece of the answer on, when its delivery takes it. */
  async deliver(output: JobOutput): Promise<void> {
    if (this.#state !== 'accepted') return
    if (await this.#delivery.output(output)) this.#generatedTokens += output.tokenCount
  }

  end(end: JobEnding, usage: JobUsage): void {
    if (this.#state !== 'accepted') return
    this.#state = 'ended'
    const error = end.error && { code: end.error.code, message: end.error.message.slice(0, LONGEST_MESSAGE) }
    this.#delivery.ended({ ...end, ...(error && { error }) }, usage)
  }

  /** `bytes` more of frames may be produced (F5). */
  grant(bytes: number): void {
    if (this.#engineRun === undefined) this.#windowBytes += bytes
    else this.#engineRun.grant(bytes)
  }
}
