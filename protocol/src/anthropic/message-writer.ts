import type Anthropic from '@anthropic-ai/sdk'
import {
  type AnswerDelta,
  type AnswerFinish,
  type AnswerWriter,
  type StreamEvent,
  type StreamFailure,
} from '../answer.ts'
import type { JobUsage } from '../host/job.ts'
import type { OutputPart } from '../host/output-part.ts'
import { JsonEnd } from './json-end.ts'
import {
  type MessageIdentity,
  emptyMessage,
  stopReason,
  textBlock,
  thinkingBlock,
  tokenCounts,
  toolUseBlock,
} from './message-answer.ts'
import { messageError } from './message-error.ts'

/** What a piece that waits takes beside its text, in characters. */
const PART_SIZE = 64

type CallPart = Extract<OutputPart, { type: 'tool-call' }>

/** The block that is being told. */
type OpenBlock =
  | { readonly type: 'text' | 'reasoning' }
  | { readonly type: 'tool-call'; readonly call: number; readonly end: JsonEnd }

/**
 * Tells an answer as Anthropic's events, in which one block ends before the next begins. Should a Host send something else before a call is
 * whole, it waits until that is so.
 */
export class MessageWriter implements AnswerWriter {
  readonly #identity: MessageIdentity
  #open: OpenBlock | undefined
  /** Blocks that have ended: the number of the one that is being told. */
  #blocks = 0
  readonly #told = new Set<number>()
  #waiting: OutputPart[] = []
  #size = 0
  #finish: AnswerFinish | undefined

  constructor(identity: MessageIdentity) {
    this.#identity = identity
  }

  get size(): number {
    return this.#size
  }

  start(prompt: Pick<JobUsage, 'promptTokens' | 'cachedTokens'>): readonly StreamEvent[] {
    return [event({ type: 'message_start', message: emptyMessage(this.#identity, prompt) })]
  }

  delta(_choice: number, { parts }: AnswerDelta): readonly StreamEvent[] {
    return parts.flatMap((part) => this.#take(part))
  }

  finish(_choice: number, finish: AnswerFinish): readonly StreamEvent[] {
    this.#finish = finish
    const events: StreamEvent[] = []
    // What waits for a call that was cut short waits no longer.
    while (this.#waiting.length > 0) events.push(...this.#close(), ...this.#retry())
    return [...events, ...this.#close()]
  }

  end(): readonly StreamEvent[] {
    if (this.#finish === undefined) return []
    const { reason, usage } = this.#finish
    const delta = {
      stop_reason: stopReason(reason),
      stop_sequence: null,
      stop_details: null,
      container: null,
    }
    return [
      event({ type: 'message_delta', delta, usage: tokenCounts(usage) }),
      event({ type: 'message_stop' }),
    ]
  }

  fail(failure: StreamFailure): readonly StreamEvent[] {
    return [{ event: 'error', data: messageError(failure, this.#identity.requestId) }]
  }

  #take(part: OutputPart): StreamEvent[] {
    if (this.#mustWait(part)) {
      this.#waiting.push(part)
      this.#size += PART_SIZE + (part.type === 'tool-call' ? part.arguments : part.text).length
      return []
    }
    const events = this.#tell(part)
    return this.#waiting.length > 0 && this.#isWhole() ? [...events, ...this.#retry()] : events
  }

  #retry(): StreamEvent[] {
    const waiting = this.#waiting
    this.#waiting = []
    this.#size = 0
    return waiting.flatMap((part) => this.#take(part))
  }

  #mustWait(part: OutputPart): boolean {
    const open = this.#open
    if (open?.type !== 'tool-call') return false
    return !(part.type === 'tool-call' && part.index === open.call) && !this.#isWhole()
  }

  /** True if the arguments of the call that is being told are all there. */
  #isWhole(): boolean {
    return this.#open?.type === 'tool-call' && this.#open.end.isReached
  }

  #tell(part: OutputPart): StreamEvent[] {
    return part.type === 'tool-call' ? this.#tellCall(part) : this.#tellText(part)
  }

  #tellText({ type, text }: Exclude<OutputPart, CallPart>): StreamEvent[] {
    const events: StreamEvent[] = []
    if (this.#open?.type !== type) {
      events.push(...this.#close(), this.#begin(type === 'text' ? textBlock('') : thinkingBlock('')))
      this.#open = { type }
    }
    const delta =
      type === 'text'
        ? ({ type: 'text_delta', text } as const)
        : ({ type: 'thinking_delta', thinking: text } as const)
    return [...events, this.#delta(delta)]
  }

  #tellCall({ index, name = '', arguments: text }: CallPart): StreamEvent[] {
    const events: StreamEvent[] = []
    let open = this.#open
    if (open?.type !== 'tool-call' || open.call !== index) {
      // A call that was told as whole can only have gained blanks.
      if (this.#told.has(index)) return []
      this.#told.add(index)
      events.push(...this.#close(), this.#begin(toolUseBlock(this.#identity, index, name, {})))
      this.#open = open = { type: 'tool-call', call: index, end: new JsonEnd() }
    }
    open.end.add(text)
    if (text !== '') events.push(this.#delta({ type: 'input_json_delta', partial_json: text }))
    return events
  }

  #begin(block: Anthropic.RawContentBlockStartEvent['content_block']): StreamEvent {
    return event({ type: 'content_block_start', index: this.#blocks, content_block: block })
  }

  #delta(delta: Anthropic.RawContentBlockDelta): StreamEvent {
    return event({ type: 'content_block_delta', index: this.#blocks, delta })
  }

  #close(): StreamEvent[] {
    if (this.#open === undefined) return []
    this.#open = undefined
    return [event({ type: 'content_block_stop', index: this.#blocks++ })]
  }
}

function event(data: Anthropic.RawMessageStreamEvent): StreamEvent {
  return { event: data.type, data }
}
