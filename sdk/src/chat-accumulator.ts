import type {
  ChatChoice,
  ChatCompletion,
  ChatCompletionChunk,
  ChatToolCall,
  ChatTokenLogprob,
  CompletionUsage,
  FinishReason,
} from '@daisi/protocol/consumer'
import { parseJson } from './parse-json.ts'

interface Choice {
  content: string
  reasoning: string
  finishReason: FinishReason | undefined
  logprobs: ChatTokenLogprob[] | undefined
  readonly calls: { id: string; name: string; arguments: string }[]
  /** Numbers of the calls that were taken. */
  readonly taken: Set<number>
}

/** Puts the chunks of a streamed answer together to what a whole answer would have been. */
export class ChatAccumulator {
  #first: ChatCompletionChunk | undefined
  #usage: CompletionUsage | undefined
  readonly #choices = new Map<number, Choice>()

  add(chunk: ChatCompletionChunk): void {
    this.#first ??= chunk
    this.#usage = chunk.usage ?? this.#usage
    for (const { index, delta, logprobs, finish_reason: finishReason } of chunk.choices) {
      const choice = this.#choices.get(index) ?? emptyChoice()
      choice.content += delta.content ?? ''
      choice.reasoning += delta.reasoning_content ?? ''
      choice.finishReason = finishReason ?? choice.finishReason
      if (logprobs) (choice.logprobs ??= []).push(...logprobs.content)
      for (const { index: number, id, function: called } of delta.tool_calls ?? []) {
        const call = (choice.calls[number] ??= { id: '', name: '', arguments: '' })
        call.id ||= id ?? ''
        call.name ||= called?.name ?? ''
        call.arguments += called?.arguments ?? ''
      }
      this.#choices.set(index, choice)
    }
  }

  /** The calls of the first choice that are whole by now, each once. One that was cut off never is. */
  takeCalls(): ChatToolCall[] {
    const { calls, taken, finishReason } = this.#choices.get(0) ?? emptyChoice()
    const whole: ChatToolCall[] = []
    for (const [number, call] of calls.entries()) {
      if (taken.has(number)) continue
      // What the pieces of several calls take turns in is told apart by whether it is JSON yet.
      const mayBeWhole = finishReason !== undefined || number < calls.length - 1
      if (finishReason !== 'tool_calls' && !(mayBeWhole && parseJson(call.arguments) instanceof Object))
        continue
      taken.add(number)
      whole.push(toolCall(call))
    }
    return whole
  }

  /** The answer, or undefined if a part of it never came. */
  completion(): ChatCompletion | undefined {
    if (this.#first === undefined || this.#usage === undefined) return undefined
    const { id, created, model } = this.#first
    const choices: ChatChoice[] = []
    for (const [index, choice] of this.#choices) {
      const { content, reasoning, calls, logprobs, finishReason } = choice
      if (finishReason === undefined) return undefined
      const message = {
        role: 'assistant',
        content: content === '' && calls.length > 0 ? null : content,
        refusal: null,
        ...(reasoning && { reasoning_content: reasoning }),
        ...(calls.length > 0 && { tool_calls: calls.map(toolCall) }),
      } as const
      const likely = logprobs ? { content: logprobs, refusal: null } : null
      choices.push({ index, message, logprobs: likely, finish_reason: finishReason })
    }
    choices.sort((a, b) => a.index - b.index)
    return { id, object: 'chat.completion', created, model, choices, usage: this.#usage }
  }
}

function emptyChoice(): Choice {
  return {
    content: '',
    reasoning: '',
    finishReason: undefined,
    logprobs: undefined,
    calls: [],
    taken: new Set(),
  }
}

function toolCall({ id, ...called }: Choice['calls'][number]): ChatToolCall {
  return { id, type: 'function', function: called }
}
