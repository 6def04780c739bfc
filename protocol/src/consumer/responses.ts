import type { TokenProbability } from './chat.ts'
import type { TokenSampling } from './sampling.ts'

/** Something of a conversation. */
export type ResponseInputItem =
  | ResponseInputMessage
  | ResponseInputCall
  | ResponseCallResult
  | ResponseInputReasoning

/** A message. `developer` is a later name of `system`. */
export interface ResponseInputMessage {
  readonly type?: 'message' | undefined
  readonly role: 'user' | 'assistant' | 'system' | 'developer'
  readonly content: string | readonly ResponseInputPart[]
}

/** A piece of a message: of what was said to the model, or of what it answered. Images are for messages of `user`. */
export type ResponseInputPart =
  | { readonly type: 'input_text'; readonly text: string }
  | { readonly type: 'output_text'; readonly text: string }
  | { readonly type: 'refusal'; readonly refusal: string }
  | ResponseInputImage

/** An image, for models that see: a `data:` URL with a PNG, JPEG, WebP or GIF file in base64. Hosts fetch nothing. */
export interface ResponseInputImage {
  readonly type: 'input_image'
  readonly image_url?: string | null | undefined
  readonly detail?: string | null | undefined
}

/** A call that the model made. `arguments` is JSON text as it wrote it. */
export interface ResponseInputCall {
  readonly type: 'function_call'
  readonly call_id: string
  readonly name: string
  readonly arguments: string
  readonly id?: string | null | undefined
  readonly status?: string | null | undefined
}

/** The result of a call. */
export interface ResponseCallResult {
  readonly type: 'function_call_output'
  readonly call_id: string
  readonly output: string | readonly { readonly type: 'input_text'; readonly text: string }[]
}

/** What the model thought before the item after this one. Left out of the prompt by most models' templates. */
export interface ResponseInputReasoning {
  readonly type: 'reasoning'
  readonly id?: string | null | undefined
  readonly summary?: readonly { readonly type: 'summary_text'; readonly text: string }[] | undefined
  readonly content?: readonly { readonly type: 'reasoning_text'; readonly text: string }[] | null | undefined
}

/** A function that the model may call. */
export interface ResponseTool {
  readonly type: 'function'
  /** Letters, digits, `_` and `-`, at most 64. */
  readonly name: string
  readonly description?: string | null | undefined
  /** JSON Schema of its arguments, an object. Absent: it takes none. */
  readonly parameters?: Readonly<Record<string, unknown>> | null | undefined
  /** True: the arguments fit the schema; a schema that cannot be held to is refused. */
  readonly strict?: boolean | null | undefined
}

/** Whether the model calls: not at all, as it likes (default), at least once, or exactly this one. */
export type ResponseToolChoice =
  | 'none'
  | 'auto'
  | 'required'
  | { readonly type: 'function'; readonly name: string }

/** What form the text of the answer has. */
export type ResponseFormat =
  | { readonly type: 'text' }
  /** Any JSON object. */
  | { readonly type: 'json_object' }
  /** JSON that fits the schema: a grammar on the Host sees to it, whatever `strict` says. */
  | {
      readonly type: 'json_schema'
      readonly name: string
      readonly description?: string | undefined
      readonly schema: Readonly<Record<string, unknown>>
      readonly strict?: boolean | null | undefined
    }

/** What may be asked for beside the answer: probabilities of its text. Reasoning is never encrypted; asking for that changes nothing. */
export type ResponseInclude = 'message.output_text.logprobs' | 'reasoning.encrypted_content'

/** Body of `POST /v1/responses`. Nothing is stored: a conversation goes on by sending all of its items again. */
export interface ResponsesRequest extends TokenSampling {
  readonly model: string
  readonly input: string | readonly ResponseInputItem[]
  /** What the model shall keep to: stands before `input`. */
  readonly instructions?: string | null | undefined
  readonly tools?: readonly ResponseTool[] | null | undefined
  readonly tool_choice?: ResponseToolChoice | null | undefined
  /** False: at most one call. */
  readonly parallel_tool_calls?: boolean | null | undefined
  readonly text?: { readonly format?: ResponseFormat | null | undefined } | null | undefined
  /** Tokens of the answer at most, thoughts included. */
  readonly max_output_tokens?: number | null | undefined
  readonly include?: readonly ResponseInclude[] | null | undefined
  /** 0–20 most likely tokens beside each. Needs `include: ['message.output_text.logprobs']`. */
  readonly top_logprobs?: number | null | undefined
  readonly reasoning?:
    | {
        /** How much a model that can think shall think. */
        readonly effort?: 'none' | 'minimal' | 'low' | 'medium' | 'high' | null | undefined
        /** No summaries are written: thoughts come in full. */
        readonly summary?: 'auto' | 'concise' | 'detailed' | null | undefined
      }
    | null
    | undefined
  /** Comes back in the answer. At most 16 pairs. Neither stored nor shown to Hosts, as the three that follow. */
  readonly metadata?: Readonly<Record<string, string>> | null | undefined
  readonly user?: string | null | undefined
  readonly safety_identifier?: string | null | undefined
  readonly prompt_cache_key?: string | null | undefined
  /** Answers are stored nowhere: only `false` is served, and is what counts if this is left out. */
  readonly store?: boolean | null | undefined
  readonly stream?: boolean | null | undefined
}

/** How far an answer, or a piece of it, is. */
export type ResponseStatus = 'in_progress' | 'completed' | 'incomplete' | 'failed'
type ItemStatus = Exclude<ResponseStatus, 'failed'>

/** Something that the model answered. */
export type ResponseOutputItem = ResponseOutputMessage | ResponseFunctionCall | ResponseReasoning

export interface ResponseOutputMessage {
  readonly type: 'message'
  readonly id: string
  readonly role: 'assistant'
  readonly status: ItemStatus
  readonly content: ResponseOutputText[]
}

export interface ResponseOutputText {
  readonly type: 'output_text'
  readonly text: string
  readonly annotations: never[]
  /** One for each token, if they were asked for. */
  readonly logprobs: ResponseTokenLogprob[]
}

/** How likely a token was. Natural logarithms; `bytes` is empty where the token is no whole characters. */
export interface ResponseTokenProbability extends TokenProbability {
  readonly bytes: number[]
}

export interface ResponseTokenLogprob extends ResponseTokenProbability {
  /** The most likely tokens in its place, best first. */
  readonly top_logprobs: ResponseTokenProbability[]
}

/** A call. Its result goes back as an item `function_call_output` with the same `call_id`. */
export interface ResponseFunctionCall {
  readonly type: 'function_call'
  readonly id: string
  readonly call_id: string
  readonly name: string
  /** JSON text as the model wrote it. */
  readonly arguments: string
  readonly status: ItemStatus
}

/** What the model thought. */
export interface ResponseReasoning {
  readonly type: 'reasoning'
  readonly id: string
  readonly summary: never[]
  readonly content: { readonly type: 'reasoning_text'; readonly text: string }[]
  readonly status: ItemStatus
}

/** Tokens of an answer. */
export interface ResponseUsage {
  readonly input_tokens: number
  /** `cached_tokens` of the prompt were reused from an earlier one and cost nothing. */
  readonly input_tokens_details: { readonly cached_tokens: number; readonly cache_write_tokens: 0 }
  readonly output_tokens: number
  /** Hosts count thoughts among all that they generate and not apart: 0. */
  readonly output_tokens_details: { readonly reasoning_tokens: 0 }
  readonly total_tokens: number
}

/** An answer: whole, or as far as it has come. */
export interface ModelResponse {
  readonly id: string
  readonly object: 'response'
  /** Seconds since the epoch, as `completed_at`. */
  readonly created_at: number
  readonly completed_at: number | null
  readonly status: ResponseStatus
  readonly model: string
  readonly output: ResponseOutputItem[]
  /** Present once the answer is over and was not cut short by a failure. */
  readonly usage: ResponseUsage | null
  readonly error: { readonly code: 'server_error' | 'rate_limit_exceeded'; readonly message: string } | null
  /** Why it is `incomplete`: its tokens are used up. */
  readonly incomplete_details: { readonly reason: 'max_output_tokens' } | null
  // What was asked for.
  readonly instructions: string | null
  readonly metadata: Record<string, string>
  readonly parallel_tool_calls: boolean
  readonly temperature: number | null
  readonly top_p: number | null
  readonly top_logprobs: number
  readonly max_output_tokens: number | null
  readonly tool_choice: ResponseToolChoice
  readonly tools: ResponseToolEcho[]
  readonly text: { readonly format: ResponseFormat }
  readonly reasoning: {
    readonly effort: 'none' | 'minimal' | 'low' | 'medium' | 'high' | null
    readonly summary: null
  }
  readonly user: string | null
  // What is the same for all.
  readonly store: false
  readonly background: false
  readonly truncation: 'disabled'
  readonly previous_response_id: null
  readonly access_programs: null
}

/** A tool as an answer repeats it. */
export interface ResponseToolEcho extends ResponseTool {
  readonly description: string | null
  readonly parameters: Record<string, unknown> | null
  readonly strict: boolean | null
}
