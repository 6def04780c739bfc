import type { FinishReason, JobUsage } from '@daisi/protocol'
import type { Clock } from '../../clock.ts'
import type { EngineEvent, EngineRefusal } from '../engine.ts'
import type { EventQueue } from '../event-queue.ts'
import { SendWindow } from './send-window.ts'
import type { ServerError } from './server-error.ts'

/** A server that did not refuse a job in this time works on it; an Orc does not wait much longer before it asks elsewhere. */
const START_GRACE_MS = 3_000

/** Text of a part of a result, in bytes; all of it is ASCII. The first one must be long enough to tell what it is a part of. */
const MOST_PART_BYTES = 32 * 1024
const LEAST_PART_BYTES = 64
/** Parts of base64 end between two groups of characters, so that its padding stays together. */
const GROUP_BYTES = 4

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
  readonly window: SendWindow
  readonly clock: Clock
  readonly #options: ServerRunOptions
  #state: 'waiting' | 'started' | 'over' = 'waiting'
  #promptTokens = 0
  #cancelGrace = (): void => {}

  constructor(options: ServerRunOptions) {
    this.#options = options
    this.window = new SendWindow(options.windowBytes)
    this.signal = options.signal
    this.clock = options.clock
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

  /** A piece of an answer whose tokens have no ids here. */
  text(text: string, tokenCount: number): void {
    if (this.#state === 'started') this.#push({ type: 'delta', text, tokenIds: [], tokenCount })
  }

  /** A whole result in base64, in parts that fit into frames and window. False if the job was aborted before all of it was sent. */
  async result(text: string, tokenCount: number): Promise<boolean> {
    let rest = text
    while (!this.signal.aborted) {
      const room = Math.min(this.window.room, MOST_PART_BYTES)
      if (room < Math.min(rest.length, LEAST_PART_BYTES)) {
        await this.window.granted(this.signal)
        continue
      }
      const part = room >= rest.length ? rest : rest.slice(0, room - (room % GROUP_BYTES))
      rest = rest.slice(part.length)
      const last = rest === ''
      this.window.sent(part.length)
      this.#push({ type: 'result', text: part, last, tokenCount: last ? tokenCount : 0 })
      if (last) return true
    }
    return false
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
