import { type JobUsage, type Run, type Up, encodeFrame, textFrame } from '@daisi/protocol'
import { decodeJwt } from 'jose'
import { setTimeout as sleep } from 'node:timers/promises'
import type { HostIdentity } from './host-identity.ts'

/** What a restless Host is to answer; it travels as the prompt. */
export interface RestlessAnswer {
  /** Names the request, so that the work done for it can be told from that for others. */
  readonly request: string
  readonly tokens: number
  readonly tokensPerFrame: number
  /** 0: as fast as the window allows. */
  readonly tokensPerSecond: number
  readonly promptTokens: number
  readonly cachedTokens: number
}

/** What a Host did in one Job so far, in credits. */
export interface WorkDone {
  readonly jobId: string
  readonly request: string
  readonly credits: number
}

/** Frames of one stream between two turns of the event loop. */
const BURST_FRAMES = 16

/** One Job on a restless Host. */
export class RestlessJob {
  readonly id: string
  readonly #run: Run
  readonly #answer: RestlessAnswer
  readonly #startedAt = Date.now()
  #sentTokens = 0
  #windowBytes: number
  #cancelled = false
  #wake: () => void = () => undefined

  constructor(run: Run, answer: RestlessAnswer) {
    this.id = run.jobId
    this.#run = run
    this.#answer = answer
    this.#windowBytes = run.windowBytes
  }

  cancel(): void {
    this.#cancelled = true
    this.#wake()
  }

  /** The Consumer may be sent this many more bytes (rule F5). */
  grant(bytes: number): void {
    this.#windowBytes += bytes
    this.#wake()
  }

  /** Sends frames until all is said, the Job is cancelled, or `send` answers that there is nobody to send to. */
  async stream(send: (frame: Uint8Array) => boolean): Promise<void> {
    const { tokens, tokensPerFrame, tokensPerSecond } = this.#answer
    const startedAt = performance.now()
    for (let sequence = 0; this.#sentTokens < tokens; sequence++) {
      const count = Math.min(tokensPerFrame, tokens - this.#sentTokens)
      const tokenIds = Array.from({ length: count }, (_, index) => index)
      const frame = encodeFrame(
        textFrame({ jobId: this.id, sequence, tokenIds, text: ' word'.repeat(count) }),
      )
      while (this.#windowBytes < frame.length && !this.#cancelled) await this.#woken()
      if (this.#cancelled) return
      // Counted first: what may have left must not be missing.
      this.#sentTokens += count
      this.#windowBytes -= frame.length
      if (!send(frame)) return this.cancel()
      const dueMs = tokensPerSecond === 0 ? 0 : (this.#sentTokens / tokensPerSecond) * 1000
      const waitMs = dueMs - (performance.now() - startedAt)
      if (waitMs > 0 || sequence % BURST_FRAMES === BURST_FRAMES - 1) await sleep(Math.max(0, waitMs))
    }
  }

  /** What is said when the Job is over, with a receipt over what was sent. */
  async end(identity: HostIdentity): Promise<Up> {
    const { promptTokens, cachedTokens } = this.#answer
    const usage: JobUsage = { promptTokens, cachedTokens, generatedTokens: this.#sentTokens }
    const sessionId = String(decodeJwt(this.#run.sessionToken)['sid'])
    const receipt = await identity.receipt(this.id, sessionId, usage, this.#startedAt)
    const isWhole = this.#sentTokens >= this.#answer.tokens
    const how = isWhole
      ? ({ outcome: 'completed', finishReason: 'length' } as const)
      : ({ outcome: 'cancelled' } as const)
    return { type: 'job-end', jobId: this.id, ...how, usage, receipt }
  }

  /** What it may at most be paid for: nothing before the first token (rules P1, P2). */
  work(): WorkDone {
    const { request, promptTokens, cachedTokens } = this.#answer
    const credits = this.#sentTokens === 0 ? 0 : promptTokens - cachedTokens + this.#sentTokens
    return { jobId: this.id, request, credits }
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }
}
