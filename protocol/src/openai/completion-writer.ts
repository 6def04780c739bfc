import type OpenAI from 'openai'
import type { AnswerDelta, AnswerFinish, AnswerWriter, StreamEvent, StreamFailure } from '../answer.ts'
import type { Completion, CompletionChoice } from '../consumer/completions.ts'
import type { JobUsage } from '../host/job.ts'
import type { CompletionIdentity } from './chat-answer.ts'
import { completionFinish, completionLogprobs } from './completion-answer.ts'
import { errorType } from './error-type.ts'
import { completionUsage } from './usage.ts'

/** Tells completions as OpenAI does: events in the shape of the whole answer, with what is new of its text. */
export class CompletionWriter implements AnswerWriter {
  readonly #identity: CompletionIdentity
  readonly #echoed: readonly string[]
  readonly #includeUsage: boolean
  readonly #usages: JobUsage[] = []
  /** Characters of each choice so far. */
  readonly #lengths: number[] = []

  /** `echoed` has what each answer begins with. */
  constructor(
    identity: CompletionIdentity,
    options: { readonly echoed: readonly string[]; readonly includeUsage: boolean },
  ) {
    this.#identity = identity
    this.#echoed = options.echoed
    this.#includeUsage = options.includeUsage
  }

  start(): readonly StreamEvent[] {
    return this.#echoed.flatMap((text, index) =>
      text === '' ? [] : this.#event([{ index, text, logprobs: null, finish_reason: null }]),
    )
  }

  delta(index: number, { parts, logprobs }: AnswerDelta): readonly StreamEvent[] {
    const text = parts.map((part) => (part.type === 'text' ? part.text : '')).join('')
    if (text === '' && logprobs === undefined) return []
    const offset = this.#lengths[index] ?? 0
    this.#lengths[index] = offset + text.length
    const likely = logprobs === undefined ? null : completionLogprobs(logprobs, offset)
    return [this.#event([{ index, text, logprobs: likely, finish_reason: null }])]
  }

  finish(index: number, { reason, usage }: AnswerFinish): readonly StreamEvent[] {
    this.#usages.push(usage)
    return [this.#event([{ index, text: '', logprobs: null, finish_reason: completionFinish(reason) }])]
  }

  end(): readonly StreamEvent[] {
    const done = { data: '[DONE]' }
    if (!this.#includeUsage) return [done]
    return [this.#event([], { usage: completionUsage(this.#usages) }), done]
  }

  fail({ code, message, status }: StreamFailure): readonly StreamEvent[] {
    return [{ data: { error: { message, type: errorType(status), code, param: null } } }]
  }

  #event(choices: CompletionChoice[], extra: Pick<Completion, 'usage'> = {}): StreamEvent {
    const { id, created, model } = this.#identity
    const event: Completion = { id, object: 'text_completion', created, model, choices, ...extra }
    // In a stream `finish_reason` is null until the end, which OpenAI's types leave out.
    return { data: event satisfies Omit<OpenAI.Completion, 'choices'> }
  }
}
