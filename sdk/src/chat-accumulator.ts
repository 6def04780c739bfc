import type {
  ChatCompletion,
  ChatCompletionChunk,
  CompletionUsage,
  FinishReason,
} from '@daisi/protocol/consumer'

interface Choice {
  content: string
  finishReason: FinishReason | undefined
}

/** Puts the chunks of a streamed answer together to what a whole answer would have been. */
export class ChatAccumulator {
  #first: ChatCompletionChunk | undefined
  #usage: CompletionUsage | undefined
  readonly #choices = new Map<number, Choice>()

  add(chunk: ChatCompletionChunk): void {
    this.#first ??= chunk
    this.#usage = chunk.usage ?? this.#usage
    for (const { index, delta, finish_reason: finishReason } of chunk.choices) {
      const choice = this.#choices.get(index) ?? { content: '', finishReason: undefined }
      choice.content += delta.content ?? ''
      choice.finishReason = finishReason ?? choice.finishReason
      this.#choices.set(index, choice)
    }
  }

  /** The answer, or undefined if a part of it never came. */
  completion(): ChatCompletion | undefined {
    if (this.#first === undefined || this.#usage === undefined) return undefined
    const { id, created, model } = this.#first
    const choices: ChatCompletion['choices'][number][] = []
    for (const [index, { content, finishReason }] of this.#choices) {
      if (finishReason === undefined) return undefined
      const message = { role: 'assistant', content, refusal: null } as const
      choices.push({ index, message, logprobs: null, finish_reason: finishReason })
    }
    return { id, object: 'chat.completion', created, model, choices, usage: this.#usage }
  }
}
