import type { ModelResponse, ResponseEvent, ResponsesRequest } from '@daisi/protocol/consumer'
import type { Call } from './call.ts'
import { Daisi } from './daisi.ts'
import { EventStream } from './event-stream.ts'
import type { RequestOptions } from './options.ts'
import type { Transport } from './transport.ts'

/** What to answer and how. */
export type ResponseParameters = Omit<ResponsesRequest, 'stream'>

/**
 * The Responses API: answers made of items. Nothing is stored, so that a conversation goes on by sending all of its items again.
 *
 * @example
 * ```ts
 * const responses = new Responses(daisi)
 * for await (const event of await responses.stream({ model: 'daisi-nano', input: 'Hello' })) {
 *   if (event.type === 'response.output_text.delta') process.stdout.write(event.delta)
 * }
 * ```
 */
export class Responses {
  readonly #transport: Transport

  constructor(daisi: Daisi) {
    this.#transport = Daisi.transportOf(daisi)
  }

  /** A whole answer. */
  async create(request: ResponseParameters, options?: RequestOptions): Promise<ModelResponse> {
    return await this.#transport.json(call({ ...request, stream: false }), 'response', options)
  }

  /** The events of an answer. The last is `response.completed`, `response.incomplete` or `response.failed`. */
  async stream(request: ResponseParameters, options?: RequestOptions): Promise<EventStream<ResponseEvent>> {
    const open = await this.#transport.stream(call({ ...request, stream: true }), options)
    return new EventStream(open, isEvent, isLast)
  }
}

/** The text of a whole answer. */
export function outputText({ output }: Pick<ModelResponse, 'output'>): string {
  return output
    .flatMap((item) => (item.type === 'message' ? item.content : []))
    .map(({ text }) => text)
    .join('')
}

function call(body: ResponsesRequest): Call {
  return { method: 'POST', path: '/responses', body, joinsSession: true }
}

function isEvent(event: unknown): event is ResponseEvent {
  return typeof event === 'object' && event !== null && 'type' in event && typeof event.type === 'string'
}

function isLast(event: unknown): boolean {
  return isEvent(event) && /^response\.(completed|incomplete|failed)$/.test(event.type)
}
