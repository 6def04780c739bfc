import type { ChatCompletion, ChatCompletionChunk, ChatToolCall } from '@daisi/protocol/consumer'
import type { OpenCall } from './call.ts'
import { ChatAccumulator } from './chat-accumulator.ts'
import { errorOfEvent } from './error-response.ts'
import { DaisiError, invalidResponse } from './error.ts'
import { readEvents, type StreamWatch } from './event-source.ts'

/**
 * An answer on its way. Read it once: as chunks, as pieces of text, as calls of tools, or whole. Leaving the loop early cancels the work;
 * what was delivered until then is paid. A stream that is neither read nor cancelled holds its connection open.
 *
 * Throws `stream_interrupted` if the answer breaks off, and the Orc's own code (such as `host_lost`) if it says why.
 *
 * @example
 * ```ts
 * const stream = await daisi.chat.stream({ model: 'daisi-nano', messages })
 * for await (const text of stream.textDeltas()) process.stdout.write(text)
 * const { usage } = await stream.final()
 * ```
 */
export class ChatStream implements AsyncIterable<ChatCompletionChunk> {
  /** The Orc's name for the request. */
  readonly requestId: string | undefined
  readonly #call: OpenCall
  readonly #source: AsyncGenerator<ChatCompletionChunk, void, void>
  readonly #answer = new ChatAccumulator()
  readonly #ended: Promise<void>
  #end: (error?: unknown) => void = () => undefined
  #isTaken = false

  /** @internal */
  constructor(call: OpenCall, source: AsyncGenerator<ChatCompletionChunk, void, void> = readChunks(call)) {
    this.#call = call
    this.#source = source
    this.requestId = call.requestId
    this.#ended = new Promise((resolve, reject) => {
      this.#end = (error) => (error === undefined ? resolve() : reject(error))
    })
    // Only who asks for the end hears how it went; the loop has thrown the same error.
    this.#ended.catch(() => undefined)
  }

  /** The chunks as they come; the last has `usage` and no choices. */
  [Symbol.asyncIterator](): AsyncIterator<ChatCompletionChunk, void, void> {
    return this.#take(this.#chunks())
  }

  /** The text as it comes, without empty pieces. */
  textDeltas(): AsyncIterable<string> {
    const texts = this.#take(this.#texts())
    return { [Symbol.asyncIterator]: () => texts }
  }

  /**
   * The calls of tools, each as soon as it is whole: while the model still writes the next one.
   *
   * @example
   * ```ts
   * const stream = await daisi.chat.stream({ model: 'daisi-nano', messages, tools })
   * for await (const call of stream.toolCalls()) console.log(call.function.name, call.function.arguments)
   * ```
   */
  toolCalls(): AsyncIterable<ChatToolCall> {
    const calls = this.#take(this.#calls())
    return { [Symbol.asyncIterator]: () => calls }
  }

  /** The whole text. */
  async text(): Promise<string> {
    return (await this.final()).choices[0]?.message.content ?? ''
  }

  /**
   * The answer as `chat.create` would have given it, usage included. Reads the stream if nobody has begun to, and else
   * waits until whoever reads it is through; it throws what they are thrown, and `aborted` if they left early.
   */
  async final(): Promise<ChatCompletion> {
    if (!this.#isTaken) for await (const chunk of this) void chunk
    await this.#ended
    const completion = this.#answer.completion()
    if (completion !== undefined) return completion
    throw invalidResponse('The stream had no usage or no finish_reason.', this.#call.response, this.requestId)
  }

  /** Stops the work. Whoever reads the stream is thrown `aborted`. Nothing happens after the end. */
  cancel(): void {
    const { response, scope } = this.#call
    scope.abort()
    scope.close()
    if (response.body?.locked === false) response.body.cancel().catch(() => undefined)
  }

  /** Gives a reader out, once. Its `return` does not wait for the chunk that may never come, as a generator's would. */
  #take<T>(items: AsyncGenerator<T, void, void>): AsyncIterator<T, void, void> {
    if (this.#isTaken) {
      throw new DaisiError('A stream can be read only once.', { code: 'invalid_request', isRetryable: false })
    }
    this.#isTaken = true
    return {
      next: () => items.next(),
      return: async () => {
        this.cancel()
        const result = await items.return()
        // A generator that never began does not run its own `finally`.
        this.#end(this.#call.scope.signal.reason)
        return result
      },
    }
  }

  async *#texts(): AsyncGenerator<string, void, void> {
    for await (const chunk of this.#chunks()) {
      const text = chunk.choices[0]?.delta.content
      if (text) yield text
    }
  }

  async *#calls(): AsyncGenerator<ChatToolCall, void, void> {
    for await (const _ of this.#chunks()) yield* this.#answer.takeCalls()
  }

  async *#chunks(): AsyncGenerator<ChatCompletionChunk, void, void> {
    let failure: unknown
    try {
      for await (const chunk of this.#source) {
        this.#answer.add(chunk)
        yield chunk
      }
    } catch (error) {
      failure = error
      throw error
    } finally {
      this.#end(failure ?? this.#call.scope.signal.reason)
    }
  }
}

/** The chunks of an answer. Throws only what {@link ChatStream} promises. */
export async function* readChunks(
  call: OpenCall,
  watch?: StreamWatch,
): AsyncGenerator<ChatCompletionChunk, void, void> {
  const { response, requestId } = call
  for await (const event of readEvents(call, watch)) {
    const error = errorOfEvent(event, requestId)
    if (error !== undefined) throw error
    if (!isChunk(event)) throw invalidResponse('An event is no chunk.', response, requestId)
    yield event
  }
}

/** Whether an event is a part of an answer. */
export function isChunk(event: unknown): event is ChatCompletionChunk {
  if (typeof event !== 'object' || event === null || !('choices' in event)) return false
  return Array.isArray(event.choices) && event.choices.every((choice) => choice?.delta instanceof Object)
}
