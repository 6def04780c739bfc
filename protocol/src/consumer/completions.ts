import type { CompletionUsage } from './chat.ts'
import type { TokenSampling } from './sampling.ts'

/** Body of `POST /v1/completions`: the text goes on after each prompt, without any template. */
export interface CompletionRequest extends TokenSampling {
  readonly model: string
  /** One prompt or several, as text or as ids of tokens in the model's own vocabulary. All of them times `n` are at most 16. */
  readonly prompt: string | readonly string[] | readonly number[] | readonly (readonly number[])[]
  /** What comes after the text that is asked for: the model fills in the middle, if it can. For prompts that are text. */
  readonly suffix?: string | null | undefined
  /** Tokens of each answer at most. Default 16, as OpenAI's. */
  readonly max_tokens?: number | null | undefined
  /** How many answers to each prompt, 1–8. Default 1. */
  readonly n?: number | null | undefined
  /** True: each answer begins with its prompt. For prompts that are text, without `logprobs`. */
  readonly echo?: boolean | null | undefined
  /** 0–5: asks for the probability of each token, and of so many of the most likely ones beside it. */
  readonly logprobs?: number | null | undefined
  readonly user?: string | null | undefined
  readonly stream?: boolean | null | undefined
  readonly stream_options?: { readonly include_usage?: boolean | undefined } | null | undefined
}

/** A whole answer, or one event of a streamed one: the same shape, as OpenAI has it. */
export interface Completion {
  readonly id: string
  readonly object: 'text_completion'
  /** Seconds since the epoch. */
  readonly created: number
  readonly model: string
  /** The answers to the first prompt, then those to the second. */
  readonly choices: CompletionChoice[]
  /** In a stream: in the last event, if it was asked for. */
  readonly usage?: CompletionUsage
}

export interface CompletionChoice {
  readonly index: number
  readonly text: string
  readonly logprobs: CompletionLogprobs | null
  /** Null in all events of a stream but the last of each choice. */
  readonly finish_reason: 'stop' | 'length' | null
}

/** Of each token: itself, where it begins in the text (in characters), how likely it was, and the most likely ones in its place. */
export interface CompletionLogprobs {
  readonly tokens: string[]
  readonly text_offset: number[]
  readonly token_logprobs: number[]
  readonly top_logprobs: Record<string, number>[]
}
