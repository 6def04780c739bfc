import { encodeFrame, type JobEnd, type JobUsage, type RefusalCode, type Run, type Up } from '@daisi/protocol'
import type { EngineRun } from '../engine/engine.ts'

/** Where a job's messages go: the live connection. */
export interface JobOutlet {
  send(message: Up): void
  sendFrame(bytes: Uint8Array<ArrayBuffer>): void
}

/** Extra facts of a refusal. */
export interface RefusalNumbers {
  readonly promptTokens?: number
  readonly contextLength?: number
}

/** How a job ends; the rest of `job-end` is known here. */
export type JobEnding = Omit<JobEnd, 'type' | 'jobId' | 'usage'>

/** Longest text of a refusal or an error on the wire. */
const LONGEST_MESSAGE = 512

/**
 * One job on the wire: its state, its frames and what was not acknowledged yet. It becomes `accepted` and then `ended`,
 * or `refused`; a message that comes too late for its state is dropped, so that `job-end` is one and the last (J4).
 */
export class Job {
  readonly run: Run
  readonly abort = new AbortController()
  #state: 'pending' | 'accepted' | 'ended' | 'refused' = 'pending'
  #outlet: JobOutlet | undefined
  #engineRun: EngineRun | undefined
  #extraCredit = 0
  #nextSequence = 0
  #generatedTokens = 0
  #unacknowledged: { readonly sequence: number; readonly bytes: Uint8Array<ArrayBuffer> }[] = []
  #end: JobEnd | undefined

  constructor(run: Run, outlet: JobOutlet) {
    this.run = run
    this.#outlet = outlet
  }

  get accepted(): boolean {
    return this.#state === 'accepted'
  }

  get refused(): boolean {
    return this.#state === 'refused'
  }

  /** True if the Orc got, or no longer waits for, the last message. */
  get over(): boolean {
    return this.#state === 'refused' || (this.#state === 'ended' && this.#end === undefined)
  }

  get nextSequence(): number {
    return this.#nextSequence
  }

  /** Tokens in the frames so far. */
  get generatedTokens(): number {
    return this.#generatedTokens
  }

  /** Bytes of frames that may be produced before a grant: the window, and credit that came before the start. */
  get windowBytes(): number {
    return this.run.windowBytes + this.#extraCredit
  }

  /** The engine works on it: from now on credit goes there. */
  started(engineRun: EngineRun): void {
    this.#engineRun = engineRun
  }

  accept(promptTokens: number, cachedTokens: number): void {
    if (this.#state !== 'pending') return
    this.#state = 'accepted'
    this.#send({ type: 'accepted', jobId: this.run.jobId, promptTokens, cachedTokens })
  }

  refuse(code: RefusalCode, message: string, numbers: RefusalNumbers = {}): void {
    if (this.#state !== 'pending') return
    this.#state = 'refused'
    this.#send({
      type: 'refused',
      jobId: this.run.jobId,
      code,
      message: message.slice(0, LONGEST_MESSAGE),
      ...numbers,
    })
  }

  /** Sends a piece of the answer and keeps it until it is acknowledged (F6). */
  frame(text: string, tokenIds: readonly number[]): void {
    if (this.#state !== 'accepted') return
    const sequence = this.#nextSequence++
    const bytes = encodeFrame({ jobId: this.run.jobId, sequence, tokenIds, text })
    this.#generatedTokens += tokenIds.length
    this.#unacknowledged.push({ sequence, bytes })
    this.#outlet?.sendFrame(bytes)
  }

  end(end: JobEnding, usage: JobUsage): void {
    if (this.#state !== 'accepted') return
    this.#state = 'ended'
    const error = end.error && { code: end.error.code, message: end.error.message.slice(0, LONGEST_MESSAGE) }
    const message: JobEnd = { type: 'job-end', jobId: this.run.jobId, ...end, ...(error && { error }), usage }
    if (this.#outlet === undefined) this.#end = message
    else this.#send(message)
  }

  /** `bytes` more may be sent, and frames up to `ackedSequence` need not be kept (F5, F6). */
  credit(bytes: number, ackedSequence: number): void {
    this.#unacknowledged = this.#unacknowledged.filter(({ sequence }) => sequence > ackedSequence)
    if (this.#engineRun === undefined) this.#extraCredit += bytes
    else this.#engineRun.grant(bytes)
  }

  /** The connection is gone; what comes now waits for the next one. */
  detach(): void {
    this.#outlet = undefined
  }

  /** A new connection: with `resumed`, unacknowledged frames go out again; a job that ended meanwhile says so. */
  attach(outlet: JobOutlet, resumed: boolean): void {
    this.#outlet = outlet
    if (resumed) for (const { bytes } of this.#unacknowledged) outlet.sendFrame(bytes)
    if (this.#end === undefined) return
    outlet.send(this.#end)
    this.#end = undefined
  }

  #send(message: Up): void {
    this.#outlet?.send(message)
  }
}
