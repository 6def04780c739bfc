import type { TokenLogprob } from './host/chat-payload.ts'
import type { FinishReason, JobUsage } from './host/job.ts'
import type { OutputPart } from './host/output-part.ts'

// What comes of a chat or a completion, apart from how any API words it. The Orc and a Host's Direct Connections share this; each API has
// a folder of its own with mappings from its requests and to its answers.

/** Some output, as one frame carried it. */
export interface AnswerDelta {
  readonly type: 'delta'
  readonly parts: readonly OutputPart[]
  /** One for each token, if they were asked for. */
  readonly logprobs?: readonly TokenLogprob[]
}

/** The end of an answer. Exactly one comes, last. */
export interface AnswerFinish {
  readonly type: 'finish'
  readonly reason: FinishReason
  readonly usage: JobUsage
}

/** A call in full. */
export interface AnsweredCall {
  readonly name: string
  /** JSON text. */
  readonly arguments: string
}

/** A whole answer. */
export interface WholeAnswer {
  readonly text: string
  readonly reasoning: string
  readonly calls: readonly AnsweredCall[]
  readonly logprobs: readonly TokenLogprob[] | undefined
  readonly reason: FinishReason
  readonly usage: JobUsage
}

/** One server-sent event: `data` is written as JSON, but for `[DONE]`, which stays as it is. */
export interface StreamEvent {
  readonly event?: string
  readonly data: unknown
}

/** What went wrong, for the words of an API. */
export interface StreamFailure {
  readonly code: string
  /** HTTP status that the failure would have had before the stream began. */
  readonly status: number
  readonly message: string
}

/**
 * How one API tells an answer while it comes. One for each request, in the order: `start`, then for each choice its deltas and its
 * `finish`, `end`. `fail` may take the place of anything after it was made, and is the last.
 */
export interface AnswerWriter {
  /** Characters of the answer that it keeps. Absent: none. */
  readonly size?: number
  /** The first Host has taken the request: so many tokens its prompt has, and so many of them were cached. */
  start(prompt: Pick<JobUsage, 'promptTokens' | 'cachedTokens'>): readonly StreamEvent[]
  delta(choice: number, delta: AnswerDelta): readonly StreamEvent[]
  finish(choice: number, finish: AnswerFinish): readonly StreamEvent[]
  /** Every choice is finished. */
  end(): readonly StreamEvent[]
  fail(failure: StreamFailure): readonly StreamEvent[]
}

/** What one probability takes beside its token, in characters. */
const PROBABILITY_CHARACTERS = 64

/** Characters that the probabilities of a token take. */
export function sizeOfLogprob({ token, top }: TokenLogprob): number {
  return top.reduce(
    (sum, { token: other }) => sum + PROBABILITY_CHARACTERS + other.length,
    PROBABILITY_CHARACTERS + token.length,
  )
}

/** Puts an answer together from its deltas. */
export class AnswerCollector {
  #text = ''
  #reasoning = ''
  #logprobs: TokenLogprob[] | undefined
  #probabilities = 0
  readonly #calls: { name: string; arguments: string }[] = []

  /** Characters gathered so far, probabilities included. */
  get size(): number {
    return this.#calls.reduce(
      (sum, call) => sum + call.name.length + call.arguments.length,
      this.#text.length + this.#reasoning.length + this.#probabilities,
    )
  }

  add({ parts, logprobs }: AnswerDelta): void {
    if (logprobs !== undefined) {
      const known = (this.#logprobs ??= [])
      for (const entry of logprobs) {
        known.push(entry)
        this.#probabilities += sizeOfLogprob(entry)
      }
    }
    for (const part of parts) {
      if (part.type === 'text') this.#text += part.text
      else if (part.type === 'reasoning') this.#reasoning += part.text
      else {
        const call = (this.#calls[part.index] ??= { name: '', arguments: '' })
        call.name ||= part.name ?? ''
        call.arguments += part.arguments
      }
    }
  }

  whole({ reason, usage }: AnswerFinish): WholeAnswer {
    return {
      text: this.#text,
      reasoning: this.#reasoning,
      calls: this.#calls.filter((call) => call.name !== ''),
      logprobs: this.#logprobs,
      reason,
      usage,
    }
  }
}
