import type { TokenSampling } from './sampling.ts'

/** One message of a conversation. */
export type ChatMessage = ChatInstruction | ChatUserMessage | ChatAssistantMessage | ChatToolMessage

/** What the model shall keep to. `developer` is a later name of `system`. */
export interface ChatInstruction {
  readonly role: 'system' | 'developer'
  readonly content: string | readonly ChatTextPart[]
}

export interface ChatUserMessage {
  readonly role: 'user'
  readonly content: string | readonly (ChatTextPart | ChatImagePart)[]
}

/** What the model said before. */
export interface ChatAssistantMessage {
  readonly role: 'assistant'
  readonly content?: string | readonly ChatTextPart[] | null | undefined
  readonly tool_calls?: readonly ChatToolCall[] | null | undefined
  /** What it thought. Left out of the prompt by most models' templates. */
  readonly reasoning_content?: string | null | undefined
  readonly refusal?: string | null | undefined
}

/** The result of a call. */
export interface ChatToolMessage {
  readonly role: 'tool'
  readonly tool_call_id: string
  readonly content: string | readonly ChatTextPart[]
}

/** A piece of a message's text. */
export interface ChatTextPart {
  readonly type: 'text'
  readonly text: string
}

/** An image, for models that see: a `data:` URL with a PNG, JPEG, WebP or GIF file in base64. Hosts fetch nothing. */
export interface ChatImagePart {
  readonly type: 'image_url'
  readonly image_url: { readonly url: string; readonly detail?: string | null | undefined }
}

/** A call that the model made. */
export interface ChatToolCall {
  readonly id: string
  readonly type: 'function'
  /** `arguments` is JSON text as the model wrote it. */
  readonly function: { readonly name: string; readonly arguments: string }
}

/** A function that the model may call. */
export interface ChatTool {
  readonly type: 'function'
  readonly function: {
    /** Letters, digits, `_` and `-`, at most 64. */
    readonly name: string
    readonly description?: string | undefined
    /** JSON Schema of its arguments, an object. Absent: it takes none. */
    readonly parameters?: Readonly<Record<string, unknown>> | undefined
    /** True: the arguments fit the schema; a schema that cannot be held to is refused. */
    readonly strict?: boolean | null | undefined
  }
}

/** Whether the model calls: not at all, as it likes (default), at least once, or exactly this one. */
export type ChatToolChoice =
  | 'none'
  | 'auto'
  | 'required'
  | { readonly type: 'function'; readonly function: { readonly name: string } }

/** What form the text of the answer has. */
export type ChatResponseFormat =
  | { readonly type: 'text' }
  /** Any JSON object. */
  | { readonly type: 'json_object' }
  /** JSON that fits the schema: a grammar on the Host sees to it, whatever `strict` says. */
  | {
      readonly type: 'json_schema'
      readonly json_schema: {
        readonly name: string
        readonly description?: string | undefined
        readonly schema?: Readonly<Record<string, unknown>> | undefined
        readonly strict?: boolean | null | undefined
      }
    }

/** Body of `POST /v1/chat/completions`. */
export interface ChatRequest extends TokenSampling {
  readonly model: string
  readonly messages: readonly ChatMessage[]
  /** Tokens of the answer at most. Superseded by `max_completion_tokens` where both stand. */
  readonly max_tokens?: number | null | undefined
  readonly max_completion_tokens?: number | null | undefined
  /** How many answers, 1–8, each with its own price. Default 1. */
  readonly n?: number | null | undefined
  readonly tools?: readonly ChatTool[] | undefined
  readonly tool_choice?: ChatToolChoice | undefined
  /** False: at most one call. */
  readonly parallel_tool_calls?: boolean | null | undefined
  readonly response_format?: ChatResponseFormat | undefined
  /** Asks for the probability of each token of the text: the model's own, before anything here changed it. */
  readonly logprobs?: boolean | null | undefined
  /** 0–20 most likely tokens beside each. Needs `logprobs`. */
  readonly top_logprobs?: number | null | undefined
  /** How much a model that can think shall think. */
  readonly reasoning_effort?: 'none' | 'minimal' | 'low' | 'medium' | 'high' | null | undefined
  /** Yours to name your own users by. Neither stored nor shown to Hosts, as `metadata` and the two that follow. */
  readonly user?: string | null | undefined
  readonly metadata?: Readonly<Record<string, string>> | null | undefined
  readonly safety_identifier?: string | null | undefined
  readonly prompt_cache_key?: string | null | undefined
  /** Answers are stored nowhere: only `false` is served. */
  readonly store?: boolean | null | undefined
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

export type FinishReason = 'stop' | 'length' | 'tool_calls'

/** A whole answer. */
export interface ChatCompletion {
  readonly id: string
  readonly object: 'chat.completion'
  /** Seconds since the epoch. */
  readonly created: number
  readonly model: string
  readonly choices: readonly ChatChoice[]
  readonly usage: CompletionUsage
}

export interface ChatChoice {
  readonly index: number
  readonly message: ChatAnswer
  readonly logprobs: ChatLogprobs | null
  readonly finish_reason: FinishReason
}

/** What the model answered. */
export interface ChatAnswer {
  readonly role: 'assistant'
  /** Null if it only called tools. */
  readonly content: string | null
  readonly refusal: null
  /** Absent if it called none. */
  readonly tool_calls?: ChatToolCall[]
  /** What it thought, for models that do. */
  readonly reasoning_content?: string
}

/** How likely the tokens of an answer were. Natural logarithms. */
export interface ChatLogprobs {
  readonly content: ChatTokenLogprob[]
  readonly refusal: null
}

export interface TokenProbability {
  readonly token: string
  readonly logprob: number
  /** UTF-8 of the token; null where it is no whole characters. */
  readonly bytes: number[] | null
}

export interface ChatTokenLogprob extends TokenProbability {
  /** The most likely tokens in its place, best first. */
  readonly top_logprobs: TokenProbability[]
}

/** One event of a streamed answer. The last one before `[DONE]` has `usage` and no choices, if it was asked for. */
export interface ChatCompletionChunk {
  readonly id: string
  readonly object: 'chat.completion.chunk'
  readonly created: number
  readonly model: string
  readonly choices: readonly {
    readonly index: number
    readonly delta: ChatDelta
    readonly logprobs: ChatLogprobs | null
    readonly finish_reason: FinishReason | null
  }[]
  readonly usage?: CompletionUsage | null
}

/** What an event adds to an answer. */
export interface ChatDelta {
  readonly role?: 'assistant'
  readonly content?: string
  readonly reasoning_content?: string
  readonly tool_calls?: ChatToolCallDelta[]
}

/** A piece of a call: the first of each `index` has `id`, `type` and `name`; the `arguments` of all, joined, are its JSON. */
export interface ChatToolCallDelta {
  readonly index: number
  readonly id?: string
  readonly type?: 'function'
  readonly function?: { readonly name?: string; readonly arguments?: string }
}
