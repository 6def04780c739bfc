import type OpenAI from 'openai'
import type { AnswerDelta, AnswerFinish, AnswerWriter, StreamEvent, StreamFailure } from '../answer.ts'
import type { ChatCompletionChunk, ChatDelta, ChatLogprobs, FinishReason } from '../consumer/chat.ts'
import type { JobUsage } from '../host/job.ts'
import type { OutputPart } from '../host/output-part.ts'
import { type CompletionIdentity, chatLogprobs, finishWord, toolCallId } from './chat-answer.ts'
import { errorType } from './error-type.ts'
import { completionUsage } from './usage.ts'

/** Tells answers as OpenAI's chunks: the role, the deltas, the finish of each choice, the usage if it was asked for, `[DONE]`. */
export class ChatWriter implements AnswerWriter {
  readonly #identity: CompletionIdentity
  readonly #choices: number
  readonly #includeUsage: boolean
  readonly #usages: JobUsage[] = []

  constructor(
    identity: CompletionIdentity,
    options: { readonly choices?: number; readonly includeUsage: boolean },
  ) {
    this.#identity = identity
    this.#choices = options.choices ?? 1
    this.#includeUsage = options.includeUsage
  }

  start(): readonly StreamEvent[] {
    return Array.from({ length: this.#choices }, (_, choice) =>
      this.#chunk(choice, { role: 'assistant', content: '' }),
    )
  }

  delta(choice: number, { parts, logprobs }: AnswerDelta): readonly StreamEvent[] {
    const likely = logprobs === undefined ? null : chatLogprobs(logprobs)
    // With the text that they are of, as far as there is one.
    const at = Math.max(
      0,
      parts.findIndex(({ type }) => type === 'text'),
    )
    if (parts.length === 0 && likely !== null) return [this.#chunk(choice, {}, null, likely)]
    return parts.map((part, index) =>
      this.#chunk(choice, this.#deltaOf(choice, part), null, index === at ? likely : null),
    )
  }

  finish(choice: number, { reason, usage }: AnswerFinish): readonly StreamEvent[] {
    this.#usages.push(usage)
    return [this.#chunk(choice, {}, finishWord(reason))]
  }

  end(): readonly StreamEvent[] {
    const done = { data: '[DONE]' }
    if (!this.#includeUsage) return [done]
    // Its `choices` are empty: clients index into the others.
    const usage = { ...this.#head, choices: [], usage: completionUsage(this.#usages) }
    return [{ data: usage satisfies OpenAI.ChatCompletionChunk }, done]
  }

  fail({ code, message, status }: StreamFailure): readonly StreamEvent[] {
    return [{ data: { error: { message, type: errorType(status), code, param: null } } }]
  }

  #deltaOf(choice: number, part: OutputPart): ChatDelta {
    switch (part.type) {
      case 'text':
        return { content: part.text }
      case 'reasoning':
        return { reasoning_content: part.text }
      case 'tool-call': {
        const { index, name, arguments: text } = part
        if (name === undefined) return { tool_calls: [{ index, function: { arguments: text } }] }
        const id = toolCallId(this.#identity.id, choice, index)
        return { tool_calls: [{ index, id, type: 'function', function: { name, arguments: text } }] }
      }
    }
  }

  get #head(): Pick<ChatCompletionChunk, 'id' | 'object' | 'created' | 'model'> {
    const { id, created, model } = this.#identity
    return { id, object: 'chat.completion.chunk', created, model }
  }

  #chunk(
    index: number,
    delta: ChatDelta,
    reason: FinishReason | null = null,
    logprobs: ChatLogprobs | null = null,
  ): StreamEvent {
    const chunk: ChatCompletionChunk = {
      ...this.#head,
      choices: [{ index, delta, logprobs, finish_reason: reason }],
    }
    return { data: chunk satisfies Readonly<ChatCompletionChunk> }
  }
}
