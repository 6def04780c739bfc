import { encodeFrame, type JobEnd, type JobUsage, type RefusalCode, type Up } from '@daisi/protocol'
import type { JobEnding } from './job.ts'
import type { JobDelivery, JobOutput, RefusalFacts } from './job-delivery.ts'

/** Where messages to an Orc go: the live connection. */
export interface JobOutlet {
  send(message: Up): void
  sendFrame(bytes: Uint8Array<ArrayBuffer>): void
}

/** One job on the wire to an Orc: its frames, and what was not acknowledged yet. Outlives single connections. */
export class OrcDelivery implements JobDelivery {
  readonly windowBytes: number
  readonly #jobId: string
  #outlet: JobOutlet | undefined
  #nextSequence = 0
  #unacknowledged: { readonly sequence: number; readonly bytes: Uint8Array<ArrayBuffer> }[] = []
  #end: JobEnd | undefined

  constructor(jobId: string, windowBytes: number, outlet: JobOutlet) {
    this.#jobId = jobId
    this.windowBytes = windowBytes
    this.#outlet = outlet
  }

  get nextSequence(): number {
    return this.#nextSequence
  }

  /** True while the last message waits for a connection. */
  get waiting(): boolean {
    return this.#end !== undefined
  }

  accepted(promptTokens: number, cachedTokens: number): void {
    this.#outlet?.send({ type: 'accepted', jobId: this.#jobId, promptTokens, cachedTokens })
  }

  refused(code: RefusalCode, message: string, facts: RefusalFacts): void {
    this.#outlet?.send({ type: 'refused', jobId: this.#jobId, code, message, ...facts })
  }

  /** Sends a piece of the answer and keeps it until it is acknowledged (F6). */
  output(output: JobOutput): boolean {
    const sequence = this.#nextSequence++
    const bytes = encodeFrame({ jobId: this.#jobId, sequence, ...output })
    this.#unacknowledged.push({ sequence, bytes })
    this.#outlet?.sendFrame(bytes)
    return true
  }

  ended(end: JobEnding, usage: JobUsage): void {
    const message: JobEnd = { type: 'job-end', jobId: this.#jobId, ...end, usage }
    if (this.#outlet === undefined) this.#end = message
    else this.#outlet.send(message)
  }

  /** Frames up to this one need not be kept (F6). */
  acknowledged(sequence: number): void {
    this.#unacknowledged = this.#unacknowledged.filter((frame) => frame.sequence > sequence)
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
}
