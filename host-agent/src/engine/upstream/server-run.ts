import type { FinishReason, JobUsage } from '@daisi/protocol'
import type { Clock } from '../../clock.ts'
import type { EngineEvent, EngineRefusal } from '../engine.ts'
import type { EventQueue } from '../event-queue.ts'
import { FrameAssembler } from '../output/frame-assembler.ts'
import { ResultWriter } from '../output/result-writer.ts'
import type { ServerError } from './server-error.ts'

/** A server that did not refuse a job in this time works on it; an Orc does not wait much longer before it asks elsewhere. */
const START_GRACE_MS = 3_000

/** What a `ServerRun` belongs to. */
export interface ServerRunOptions {
  readonly windowBytes: number
  readonly signal: AbortSignal
  readonly contextLength: number
  readonly clock: Clock
  readonly events: EventQueue<EngineEvent>
}

/** One job in a server. What is told after its last event is dropped. */
export class ServerRun {
  readonly signal: AbortSignal
  readonly clock: Clock
  /** An answer whose tokens have no ids here. */
  readonly answer: FrameAssembler
  /** Results in base64. A job has these or an answer. */
  readonly results: ResultWriter
  readonly #options: ServerRunOptions
  #state: 'waiting' | 'started' | 'over' = 'waiting'
  #promptTokens = 0
  #cancelGrace = (): void => {}

  constructor(options: ServerRunOptions) {
    this.#options = options
    const { windowBytes, signal, clock } = options
    this.signal = signal
    this.clock = clock
    this.answer = new FrameAssembler(windowBytes, (piece) => this.#push({ type: 'delta', ...piece }), clock)
    this.results = new ResultWriter(windowBytes, (part) => this.#push({ type: 'result', ...part }))
  }

  /**
   * Begins by itself if the server says nothing against the job for a while; until then it may still be refused.
   * `promptTokens` is an upper estimate: the real count comes with the end.
   */
  startSoon(promptTokens: number): void {
    this.#promptTokens = promptTokens
    this.#cancelGrace = this.clock.after(START_GRACE_MS, () => this.start())
  }

  /** The server works on it. */
  start(): void {
    this.#cancelGrace()
    if (this.#state !== 'waiting') return
    this.#state = 'started'
    this.#push({ type: 'start', promptTokens: this.#promptTokens, cachedTokens: 0 })
  }

  /** `bytes` more of frames may be sent (F5). */
  grant(bytes: number): void {
    this.answer.grant(bytes)
    this.results.grant(bytes)
  }

  /** Its whole answer was sent. */
  end(finishReason: FinishReason, usage: JobUsage, tokensPerSecond?: number): void {
    const speed = tokensPerSecond !== undefined && { tokensPerSecond }
    this.#last({ type: 'end', finishReason, usage, ...speed })
  }

  /** It was aborted; what was sent until then is `usage`. */
  abort(usage: JobUsage): void {
    this.#last({ type: 'end', finishReason: 'cancelled', usage })
  }

  refuse(refusal: EngineRefusal): void {
    this.#last({ type: 'refused', refusal })
  }

  /** The job cannot be done: refused as long as nothing was begun, so that another Host can take it. */
  fail(error: ServerError): void {
    const { contextLength } = this.#options
    const counted = { promptTokens: this.#promptTokens, contextLength }
    if (this.#state === 'waiting') this.refuse(refusalOf(error, counted))
    else this.breakOff(error.message)
  }

  /** It cannot go on here. */
  breakOff(message: string): void {
    this.#last({ type: 'failed', message })
  }

  #push(event: EngineEvent): void {
    if (this.#state !== 'over') this.#options.events.push(event)
  }

  #last(event: EngineEvent): void {
    this.#cancelGrace()
    this.#push(event)
    this.#state = 'over'
    this.#options.events.end()
  }
}

/** A refusal in the words of the wire. The server's own words stay here: they may repeat the prompt. */
function refusalOf(
  { status, overflow, message }: ServerError,
  counted: { readonly promptTokens: number; readonly contextLength: number },
): EngineRefusal {
  if (overflow !== undefined)
    return {
      code: 'context_length_exceeded',
      promptTokens: overflow.promptTokens ?? counted.promptTokens,
      contextLength: overflow.contextLength ?? counted.contextLength,
      message: 'the prompt does not fit into the context of this model; shorten it',
    }
  if (status === 429 || status === 503)
    return { code: 'busy', message: 'the server behind this model is busy' }
  if (status === 400 || status === 413 || status === 422)
    return { code: 'invalid_payload', message: 'the server behind this model finds the request invalid' }
  return { code: 'model_not_loaded', message: `the server behind this model cannot work: ${message}` }
}
