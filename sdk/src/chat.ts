import type { ChatCompletion, ChatRequest } from '@daisi/protocol/consumer'
import type { Call } from './call.ts'
import { ChatStream } from './chat-stream.ts'
import type { RequestOptions } from './options.ts'
import type { Transport } from './transport.ts'

/** What to answer and how. Whether it is streamed is decided by the method that is called. */
export type ChatParameters = Omit<ChatRequest, 'stream' | 'stream_options'>

/** Chat completions: `daisi.chat`. */
export class Chat {
  readonly #transport: Transport

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport
  }

  /**
   * The whole answer at once.
   *
   * @throws {DaisiError} for instance `insufficient_credits`, `no_host_available`, `context_length_exceeded`.
   * @example
   * ```ts
   * const answer = await daisi.chat.create({ model: 'daisi-nano', messages: [{ role: 'user', content: 'Hello' }] })
   * console.log(answer.choices[0]?.message.content, answer.usage.total_tokens)
   * ```
   */
  async create(request: ChatParameters, options?: RequestOptions): Promise<ChatCompletion> {
    return await this.#transport.json(call({ ...request, stream: false }), 'chat.completion', options)
  }

  /**
   * The answer while it is generated. Resolves when the Orc begins to answer, so that errors from before throw here
   * and only those from the middle throw in the loop. Once it has resolved nothing is sent again.
   *
   * @throws {DaisiError} the same as {@link create}.
   * @example
   * ```ts
   * const stream = await daisi.chat.stream({ model: 'daisi-nano', messages: [{ role: 'user', content: 'Hello' }] })
   * for await (const text of stream.textDeltas()) process.stdout.write(text)
   * ```
   */
  async stream(request: ChatParameters, options?: RequestOptions): Promise<ChatStream> {
    const body: ChatRequest = { ...request, stream: true, stream_options: { include_usage: true } }
    const open = await this.#transport.stream(call(body), options)
    // The time that the caller takes before reading is not the Orc's.
    open.scope.stopTimer()
    return new ChatStream(open)
  }
}

function call(body: ChatRequest): Call {
  return { method: 'POST', path: '/chat/completions', body, joinsSession: true }
}
