import type OpenAI from 'openai'
import type { AnswerDelta, AnswerFinish, AnswerWriter, StreamEvent, StreamFailure } from '../answer.ts'
import type {
  ModelResponse,
  ResponseFunctionCall,
  ResponseOutputItem,
  ResponseOutputMessage,
  ResponseReasoning,
} from '../consumer/responses.ts'
import type { TokenLogprob } from '../host/chat-payload.ts'
import type { OutputPart } from '../host/output-part.ts'
import { type ResponseIdentity, type ResponseProgress, modelResponse } from './response-answer.ts'
import { callItem, messageItem, outputText, reasoningItem, responseLogprobs } from './response-items.ts'

/** What one probability takes, in characters. */
const LOGPROB_SIZE = 64
/** What an item takes beside its text. */
const ITEM_SIZE = 512

/** An event before it has its number. The response in it has what clients add themselves left out. */
type Unnumbered<Event> = Event extends { response: unknown }
  ? Omit<Event, 'sequence_number' | 'response'> & { response: ModelResponse }
  : Omit<Event, 'sequence_number'>
type ResponseEvent = Unnumbered<OpenAI.Responses.ResponseStreamEvent>

/** An item whose end has not come: a message, thoughts, or a call, with its number. */
interface OpenItem {
  readonly id: string
  readonly outputIndex: number
  readonly type: ResponseOutputItem['type']
  readonly call: number
  readonly name: string
  text: string
  logprobs: TokenLogprob[]
}

/**
 * Tells an answer as the events of the Responses API. Text and thoughts end where something else begins, calls with the answer: the pieces of
 * several may come in any order.
 */
export class ResponseWriter implements AnswerWriter {
  readonly #identity: ResponseIdentity
  readonly #now: () => number
  readonly #output: (ResponseOutputItem | undefined)[] = []
  readonly #calls = new Map<number, OpenItem>()
  #open: OpenItem | undefined
  #end: ResponseProgress['end']
  #sequence = 0
  #isStarted = false
  #size = 0

  /** `now` tells seconds since the epoch. */
  constructor(identity: ResponseIdentity, now: () => number) {
    this.#identity = identity
    this.#now = now
  }

  get size(): number {
    return this.#size
  }

  start(): readonly StreamEvent[] {
    this.#isStarted = true
    const response = this.#response()
    return [
      this.#event({ type: 'response.created', response }),
      this.#event({ type: 'response.in_progress', response }),
    ]
  }

  delta(_choice: number, { parts, logprobs = [] }: AnswerDelta): readonly StreamEvent[] {
    const first = parts.findIndex(({ type }) => type === 'text')
    for (const part of parts)
      this.#size += part.type === 'tool-call' ? part.arguments.length : part.text.length
    for (const { top } of logprobs) this.#size += (top.length + 1) * LOGPROB_SIZE
    return parts.flatMap((part, index) => this.#part(part, index === first ? logprobs : []))
  }

  finish(_choice: number, { reason, usage }: AnswerFinish): readonly StreamEvent[] {
    const begun = this.#output.length === 0 ? this.#begin({ type: 'message', call: 0, name: '' }).events : []
    const open = [...(this.#open === undefined ? [] : [this.#open]), ...this.#calls.values()]
    open.sort((one, other) => one.outputIndex - other.outputIndex)
    const last = this.#output.length - 1
    const closed = open.flatMap((item) =>
      this.#close(item, reason === 'length' && item.outputIndex === last ? 'incomplete' : 'completed'),
    )
    this.#end = { reason, usage, at: this.#now() }
    return [...begun, ...closed]
  }

  end(): readonly StreamEvent[] {
    const type = this.#end?.reason === 'length' ? 'response.incomplete' : 'response.completed'
    return [this.#event({ type, response: this.#response() })]
  }

  fail(failure: StreamFailure): readonly StreamEvent[] {
    const { code, message } = failure
    return [
      // Clients put an answer together from its first event on, that of a failed one too.
      ...(this.#isStarted ? [] : this.start()),
      this.#event({ type: 'error', code, message, param: null }),
      this.#event({ type: 'response.failed', response: this.#response(failure) }),
    ]
  }

  #part(part: OutputPart, logprobs: readonly TokenLogprob[]): StreamEvent[] {
    if (part.type === 'tool-call') return this.#callPart(part)
    const type = part.type === 'text' ? 'message' : 'reasoning'
    const events: StreamEvent[] = []
    let item = this.#open
    if (item?.type !== type) {
      events.push(...this.#closeOpen())
      const begun = this.#begin({ type, call: 0, name: '' })
      events.push(...begun.events)
      item = begun.item
    }
    item.text += part.text
    item.logprobs.push(...logprobs)
    const place = { item_id: item.id, output_index: item.outputIndex, content_index: 0 }
    events.push(
      type === 'message'
        ? this.#event({
            type: 'response.output_text.delta',
            ...place,
            delta: part.text,
            logprobs: responseLogprobs(logprobs),
          })
        : this.#event({ type: 'response.reasoning_text.delta', ...place, delta: part.text }),
    )
    return events
  }

  #callPart({
    index,
    name = '',
    arguments: delta,
  }: Extract<OutputPart, { type: 'tool-call' }>): StreamEvent[] {
    const events: StreamEvent[] = []
    let item = this.#calls.get(index)
    if (item === undefined) {
      events.push(...this.#closeOpen())
      const begun = this.#begin({ type: 'function_call', call: index, name })
      events.push(...begun.events)
      item = begun.item
      this.#calls.set(index, item)
    }
    if (delta === '') return events
    item.text += delta
    const place = { item_id: item.id, output_index: item.outputIndex }
    return [...events, this.#event({ type: 'response.function_call_arguments.delta', ...place, delta })]
  }

  #begin(made: Pick<OpenItem, 'type' | 'call' | 'name'>): { item: OpenItem; events: StreamEvent[] } {
    const empty = { ...made, outputIndex: this.#output.length, text: '', logprobs: [] }
    const added = this.#itemOf(empty, 'in_progress')
    const item: OpenItem = { ...empty, id: added.id }
    this.#output.push(undefined)
    this.#size += ITEM_SIZE
    if (item.type !== 'function_call') this.#open = item
    const events = [
      this.#event({ type: 'response.output_item.added', output_index: item.outputIndex, item: added }),
    ]
    if (item.type !== 'function_call') events.push(this.#contentEvent('response.content_part.added', item))
    return { item, events }
  }

  #closeOpen(): StreamEvent[] {
    const item = this.#open
    this.#open = undefined
    return item === undefined ? [] : this.#close(item, 'completed')
  }

  #close(item: OpenItem, status: 'completed' | 'incomplete'): StreamEvent[] {
    const { outputIndex, text } = item
    const done = this.#itemOf(item, status)
    this.#output[outputIndex] = done
    const place = { item_id: done.id, output_index: outputIndex }
    const events: StreamEvent[] = []
    switch (item.type) {
      case 'message': {
        const logprobs = responseLogprobs(item.logprobs)
        events.push(
          this.#event({ type: 'response.output_text.done', ...place, content_index: 0, text, logprobs }),
          this.#contentEvent('response.content_part.done', item),
        )
        break
      }
      case 'reasoning':
        events.push(
          this.#event({ type: 'response.reasoning_text.done', ...place, content_index: 0, text }),
          this.#contentEvent('response.content_part.done', item),
        )
        break
      case 'function_call':
        events.push(
          this.#event({
            type: 'response.function_call_arguments.done',
            ...place,
            arguments: text,
          }),
        )
    }
    return [
      ...events,
      this.#event({ type: 'response.output_item.done', output_index: outputIndex, item: done }),
    ]
  }

  #contentEvent(
    type: 'response.content_part.added' | 'response.content_part.done',
    item: OpenItem,
  ): StreamEvent {
    const place = { item_id: item.id, output_index: item.outputIndex, content_index: 0 }
    const part =
      item.type === 'message'
        ? outputText(item.text, item.logprobs)
        : ({ type: 'reasoning_text', text: item.text } as const)
    return this.#event({ type, ...place, part })
  }

  /** The item as far as it has come; one that has just begun has no content yet. */
  #itemOf(
    { outputIndex, type, call, name, text, logprobs }: Omit<OpenItem, 'id'>,
    status: ResponseOutputItem['status'],
  ): ResponseOutputMessage | ResponseReasoning | ResponseFunctionCall {
    const place = { responseId: this.#identity.id, outputIndex }
    const isNew = status === 'in_progress' && text === ''
    switch (type) {
      case 'message':
        return messageItem(place, isNew ? [] : [outputText(text, logprobs)], status)
      case 'reasoning':
        return reasoningItem(place, isNew ? [] : [text], status)
      case 'function_call':
        return callItem(place, call, { name, arguments: text }, status)
    }
  }

  #response(failure?: StreamFailure): ModelResponse {
    const output = this.#output.filter((item) => item !== undefined)
    return modelResponse(this.#identity, {
      output,
      ...(this.#end && { end: this.#end }),
      ...(failure && { failure }),
    })
  }

  #event(event: ResponseEvent): StreamEvent {
    return { event: event.type, data: { ...event, sequence_number: this.#sequence++ } }
  }
}
