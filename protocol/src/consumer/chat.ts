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
  /** 0–2, default 1. */
  readonly temperature?: number | null | undefined
  /** 0–1, default 1. */
  readonly top_p?: number | null | undefined
  /** Tokens of the answer at most. Superseded by `max_completion_tokens` where both stand. */
  readonly max_tokens?: number | null | undefined
  readonly max_completion_tokens?: number | null | undefined
  /** Up to four strings before which the answer ends. */
  readonly stop?: string | readonly string[] | null | undefined
  readonly seed?: number | null | undefined
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
