import type { LanguageModelV4StreamPart, SharedV4Warning } from '@ai-sdk/provider'
import type { ChatCompletionChunk, CompletionUsage, FinishReason } from '@daisi/protocol/consumer'
import type { ChatStream } from '../chat-stream.ts'
import { finishOf, usageOf } from './answer-facts.ts'

type Part = LanguageModelV4StreamPart

/** The chunks of an answer as the AI SDK reads them. Cancelling the stream stops the work. */
export function streamParts(stream: ChatStream, warnings: SharedV4Warning[]): ReadableStream<Part> {
  const parts = read(stream, warnings)
  return new ReadableStream<Part>({
    async pull(controller) {
      const { value, done } = await parts.next()
      if (done) controller.close()
      else controller.enqueue(value)
    },
    cancel() {
      stream.cancel()
    },
  })
}

async function* read(stream: ChatStream, warnings: SharedV4Warning[]): AsyncGenerator<Part, void, void> {
  yield { type: 'stream-start', warnings }
  const blocks = new Blocks()
  let usage: CompletionUsage | undefined
  let reason: FinishReason | undefined
  let isFirst = true
  try {
    for await (const chunk of stream) {
      if (isFirst) yield metadataOf(chunk)
      isFirst = false
      usage = chunk.usage ?? usage
      const [choice] = chunk.choices
      reason = choice?.finish_reason ?? reason
      if (choice !== undefined) yield* blocks.add(choice.delta)
    }
    yield* blocks.end()
    if (usage !== undefined) yield { type: 'finish', finishReason: finishOf(reason), usage: usageOf(usage) }
  } catch (error) {
    yield { type: 'error', error }
  }
}

function metadataOf({ id, model, created }: ChatCompletionChunk): Part {
  return { type: 'response-metadata', id, modelId: model, timestamp: new Date(created * 1_000) }
}

/** Pieces of text, thoughts and calls, each with its beginning and end. */
class Blocks {
  #open: 'text' | 'reasoning' | undefined
  #count = 0
  readonly #calls: { id: string; name: string; input: string }[] = [];

  *add(delta: ChatCompletionChunk['choices'][number]['delta']): Generator<Part, void, void> {
    const { reasoning_content: reasoning, content, tool_calls: calls = [] } = delta
    if (reasoning) yield* this.#text('reasoning', reasoning)
    if (content) yield* this.#text('text', content)
    for (const { index, id, function: called } of calls) {
      let call = this.#calls[index]
      if (call === undefined) {
        yield* this.#close()
        call = this.#calls[index] = { id: id ?? '', name: called?.name ?? '', input: '' }
        yield { type: 'tool-input-start', id: call.id, toolName: call.name }
      }
      const more = called?.arguments ?? ''
      call.input += more
      if (more) yield { type: 'tool-input-delta', id: call.id, delta: more }
    }
  }

  *end(): Generator<Part, void, void> {
    yield* this.#close()
    for (const { id, name, input } of this.#calls) {
      yield { type: 'tool-input-end', id }
      yield { type: 'tool-call', toolCallId: id, toolName: name, input }
    }
  }

  *#text(type: 'text' | 'reasoning', delta: string): Generator<Part, void, void> {
    if (this.#open !== type) {
      yield* this.#close()
      this.#open = type
      yield { type: `${type}-start`, id: String(++this.#count) }
    }
    yield { type: `${type}-delta`, id: String(this.#count), delta }
  }

  *#close(): Generator<Part, void, void> {
    if (this.#open !== undefined) yield { type: `${this.#open}-end`, id: String(this.#count) }
    this.#open = undefined
  }
}
