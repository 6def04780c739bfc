/** One message of a conversation. */
export interface ChatMessage {
  readonly role: 'system' | 'developer' | 'user' | 'assistant'
  readonly content: string | readonly ChatTextPart[]
}

/** A piece of a message's text. */
export interface ChatTextPart {
  readonly type: 'text'
  readonly text: string
}

/** Body of `POST /v1/chat/completions`, the part of OpenAI's shape that is served. */
export interface ChatRequest {
  readonly model: string
  readonly messages: readonly ChatMessage[]
  /** 0–2. Without it the model's own default counts, and without one 1. */
  readonly temperature?: number | null | undefined
  /** 0–1. Without it the model's own default counts, and without one 1. */
  readonly top_p?: number | null | undefined
  /** Tokens of the answer at most. Superseded by `max_completion_tokens` where both stand. */
  readonly max_tokens?: number | null | undefined
  readonly max_completion_tokens?: number | null | undefined
  /** Up to four strings before which the answer ends. */
  readonly stop?: string | readonly string[] | null | undefined
  readonly seed?: number | null | undefined
  /** -2–2: taken from a token's logit for each time that the answer has it. */
  readonly frequency_penalty?: number | null | undefined
  /** -2–2: taken from a token's logit if the answer has it. */
  readonly presence_penalty?: number | null | undefined
  /** Added to the logits of tokens, by id in the model's own vocabulary: -100–100. */
  readonly logit_bias?: Readonly<Record<string, number>> | null | undefined
  /** Only so many most likely tokens are considered; 0 or -1: all. Not OpenAI's, as the next three. */
  readonly top_k?: number | null | undefined
  /** 0–1: only tokens at least this times as likely as the most likely one are considered. */
  readonly min_p?: number | null | undefined
  /** Divides the logits of tokens that were there lately. 1: off. */
  readonly repeat_penalty?: number | null | undefined
  /** Another name of `repeat_penalty`, which counts where both stand. */
  readonly repetition_penalty?: number | null | undefined
  readonly stream?: boolean | null | undefined
  readonly stream_options?: { readonly include_usage?: boolean | undefined } | null | undefined
}

/** Tokens of a finished answer. */
export interface CompletionUsage {
  readonly prompt_tokens: number
  readonly completion_tokens: number
  readonly total_tokens: number
  /** `cached_tokens` of the prompt were reused from an earlier one and cost nothing. */
  readonly prompt_tokens_details: { readonly cached_tokens: number }
}

export type FinishReason = 'stop' | 'length'

/** A whole answer. */
export interface ChatCompletion {
  readonly id: string
  readonly object: 'chat.completion'
  /** Seconds since the epoch. */
  readonly created: number
  readonly model: string
  readonly choices: readonly {
    readonly index: number
    readonly message: { readonly role: 'assistant'; readonly content: string; readonly refusal: null }
    readonly logprobs: null
    readonly finish_reason: FinishReason
  }[]
  readonly usage: CompletionUsage
}

/** One event of a streamed answer. The last one before `[DONE]` has `usage` and no choices, if it was asked for. */
export interface ChatCompletionChunk {
  readonly id: string
  readonly object: 'chat.completion.chunk'
  readonly created: number
  readonly model: string
  readonly choices: readonly {
    readonly index: number
    readonly delta: { readonly role?: 'assistant'; readonly content?: string }
    readonly logprobs: null
    readonly finish_reason: FinishReason | null
  }[]
  readonly usage?: CompletionUsage | null
}
