import type { ServerResponse } from 'node:http'
import {
  type AnswerDelta,
  type AnswerWriter,
  DIRECT_CACHED_TOKENS_HEADER,
  DIRECT_PROMPT_TOKENS_HEADER,
  type JobUsage,
  type RefusalCode,
  type StreamEvent,
} from '@daisi/protocol'
import type { Clock } from '../clock.ts'
import type { Job, JobEnding } from '../jobs/job.ts'
import type { JobDelivery, JobOutput } from '../jobs/job-delivery.ts'
import { type DirectFailure, failure, failureBody, failureHead } from './direct-failure.ts'
import { type DirectJob, lastWorkMs } from './direct-job.ts'

/** Comments hold the connection open while nothing else is sent, and show whether it still is. */
const KEEP_ALIVE_MS = 10_000

/** A job that waits this long for acknowledgements, or for its reader, without real progress is ended (D5). */
export const STALL_MS = 30_000

/** Tokens whose acknowledgement is real progress, where not everything is acknowledged. */
const PROGRESS_TOKENS = 8

/** A reader has this long to take the rest after the last word. */
const LAST_READ_MS = 30_000

export interface DeliveryOptions {
  readonly response: ServerResponse
  readonly directJob: DirectJob
  /** How the answer is told. */
  readonly writer: AnswerWriter
  readonly clock: Clock
}

/** One job on its way to a Consumer that connected directly: an event stream, paced by acknowledgements and the reader (D4, D5). */
export class DirectDelivery implements JobDelivery {
  readonly windowBytes: number
  readonly #options: DeliveryOptions
  readonly #response: ServerResponse
  readonly #stopListening: () => void
  #job: Job | undefined
  #ended = false
  #gone = false
  #stalled = false
  #isLate = false
  /** True if a piece was not delivered: whatever the engine says, the answer is not whole. */
  #isCut = false
  #wake: (() => void) | undefined
  #cancelKeepAlive: (() => void) | undefined
  #cancelStall: (() => void) | undefined
  /** Acknowledged when the wait began. */
  #acknowledgedBefore = 0
  readonly #cancelDeadline: () => void

  constructor(options: DeliveryOptions) {
    this.#options = options
    this.#response = options.response
    const { clock, directJob } = options
    this.windowBytes = directJob.window.firstGrantBytes
    this.#stopListening = directJob.window.shared.onAcknowledged(() => this.#acknowledged())
    this.#cancelDeadline = clock.after(lastWorkMs(directJob.claims, clock.now()), () => this.#tooLate())
    this.#response.on('drain', () => this.#progress())
    this.#response.on('close', () => this.#onClose())
  }

  /** The job that this delivers: it is stopped when its Consumer leaves. */
  bind(job: Job): void {
    this.#job = job
    job.abort.signal.addEventListener('abort', () => this.#wakeUp(), { once: true })
    // It may have left while its request was checked.
    if (this.#response.destroyed || this.#response.socket?.destroyed === true) this.#onClose()
  }

  accepted(promptTokens: number, cachedTokens: number): void {
    this.#options.directJob.prompt = { promptTokens, cachedTokens }
    this.#response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      [DIRECT_PROMPT_TOKENS_HEADER]: promptTokens,
      [DIRECT_CACHED_TOKENS_HEADER]: cachedTokens,
    })
    this.#events(this.#options.writer.start({ promptTokens, cachedTokens }))
    this.#keepAlive()
    this.#advance()
  }

  refused(code: RefusalCode, message: string): void {
    this.#finish()
    answerFailure(this.#response, failure(code, message))
  }

  /** Waits until the window and the reader have room for the piece. */
  async output(output: JobOutput): Promise<boolean> {
    const { text, tokenCount } = output
    const { window } = this.#options.directJob
    window.produced(tokenCount, text)
    while (!window.fits(tokenCount) || this.#response.writableNeedDrain) {
      if (this.#isOver) break
      await this.#nextProgress()
    }
    if (this.#isOver) {
      this.#isCut = true
      return false
    }
    window.handedOut(tokenCount)
    this.#events(this.#options.writer.delta(0, deltaOf(output)))
    this.#advance()
    return true
  }

  ended(end: JobEnding, usage: JobUsage): void {
    this.#options.directJob.receipt = end.receipt
    const { writer } = this.#options
    const { finishReason: reason } = end
    if (reason === undefined || this.#isCut) this.#events([{ data: failureBody(this.#failureOf(end)) }])
    else this.#events([...writer.finish(0, { type: 'finish', reason, usage }), ...writer.end()])
    this.#finish()
    this.#response.end()
    this.#response.socket?.setTimeout(LAST_READ_MS)
  }

  get #isOver(): boolean {
    return this.#gone || this.#ended || this.#job?.abort.signal.aborted === true
  }

  #failureOf({ outcome, error }: JobEnding): Omit<DirectFailure, 'ok'> {
    if (this.#stalled)
      return failure(
        'unacknowledged',
        'too little was acknowledged for 30 seconds; acknowledge while reading',
      )
    if (this.#isLate)
      return failure('unacknowledged', 'the session token expired long ago; request a new one')
    if (outcome !== 'failed') return failure('draining', 'this Host stops; send the request again')
    return failure('engine_failed', error?.message ?? 'the engine failed; send the request again')
  }

  /** The engine may go on as far as the window allows, and a wait for acknowledgements has its limit. */
  #advance(): void {
    if (this.#isOver) return
    const bytes = this.#response.writableNeedDrain ? 0 : this.#options.directJob.window.nextGrant()
    if (bytes > 0) this.#job?.grant(bytes)
    this.#watchStall()
  }

  /** Something was acknowledged or read: what waits may go on. */
  #progress(): void {
    this.#wakeUp()
    this.#advance()
  }

  #wakeUp(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }

  /** The limit of the wait begins anew only after real progress, so that no drip of acknowledgements holds a slot. */
  #acknowledged(): void {
    const { window } = this.#options.directJob
    if (window.open === 0 || window.acknowledged - this.#acknowledgedBefore >= PROGRESS_TOKENS) {
      this.#cancelStall?.()
      this.#cancelStall = undefined
    }
    this.#progress()
  }

  /** What is acknowledged from now on could be reported too late to be paid (D8). */
  #tooLate(): void {
    this.#isLate = true
    this.#job?.refuse('token_expired', 'the session token has expired; request a new one')
    this.#job?.abort.abort()
  }

  async #nextProgress(): Promise<void> {
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    this.#watchStall()
    await woken
  }

  get #isWaiting(): boolean {
    const { window } = this.#options.directJob
    return this.#wake !== undefined || window.isNarrow || this.#response.writableNeedDrain
  }

  #watchStall(): void {
    const { clock, directJob } = this.#options
    if (!this.#isWaiting || this.#cancelStall !== undefined || this.#isOver) return
    this.#acknowledgedBefore = directJob.window.acknowledged
    this.#cancelStall = clock.after(STALL_MS, () => {
      this.#cancelStall = undefined
      if (!this.#isWaiting) return
      this.#stalled = true
      this.#job?.abort.abort()
    })
  }

  #keepAlive(): void {
    this.#cancelKeepAlive?.()
    this.#cancelKeepAlive = this.#options.clock.after(KEEP_ALIVE_MS, () => {
      if (!this.#response.writableNeedDrain) this.#response.write(': keepalive\n\n')
      this.#keepAlive()
    })
  }

  /** Server-sent events (WHATWG HTML §9.2); the `id` of each is the number of tokens up to it (D4). */
  #events(events: readonly StreamEvent[]): void {
    if (this.#gone) return
    for (const { data } of events) {
      const text = data === '[DONE]' ? data : JSON.stringify(data)
      this.#response.write(`id: ${this.#options.directJob.window.sent}\ndata: ${text}\n\n`)
    }
    if (this.#cancelKeepAlive !== undefined) this.#keepAlive()
  }

  /** The Consumer left before the end: the work stops within one token. */
  #onClose(): void {
    if (this.#ended) return
    this.#gone = true
    this.#job?.refuse('busy', 'the Consumer left')
    this.#job?.abort.abort()
    this.#wakeUp()
  }

  #finish(): void {
    this.#ended = true
    this.#stopListening()
    this.#cancelDeadline()
    this.#cancelKeepAlive?.()
    this.#cancelStall?.()
    this.#cancelKeepAlive = undefined
    this.#cancelStall = undefined
    this.#wakeUp()
  }
}

function deltaOf(output: JobOutput): AnswerDelta {
  const { kind, text } = output
  if (kind === 'result') return { type: 'delta', parts: [] }
  const parts = kind === 'parts' ? output.parts : [{ type: 'text' as const, text }]
  return { type: 'delta', parts, ...(output.logprobs && { logprobs: output.logprobs }) }
}

/** Answers with an error, if there is still somebody to answer. */
export function answerFailure(response: ServerResponse, problem: DirectFailure): void {
  if (response.headersSent || response.destroyed) return
  const { status, headers } = failureHead(problem.code)
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers })
  response.end(JSON.stringify(failureBody(problem)))
}
