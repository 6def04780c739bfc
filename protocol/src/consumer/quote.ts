import type { ErrorCode } from './error.ts'
import type { RequestOptions } from './options.ts'

/** Where the request that a quote is for would be sent. */
export type QuotedEndpoint =
  | 'chat.completions'
  | 'completions'
  | 'embeddings'
  | 'images.generations'
  | 'responses'
  | 'messages'

/** Body of `POST /v1/quote`. Nothing is generated and nothing is charged. */
export interface QuoteRequest {
  /** Default `chat.completions`. */
  readonly endpoint?: QuotedEndpoint | undefined
  /** The body of the request that the quote is for, as its endpoint takes it. */
  readonly request: Readonly<Record<string, unknown>>
  readonly daisi?: RequestOptions | undefined
}

/** Answer of `POST /v1/quote`: what the request would cost now, and who could serve it. */
export interface Quote {
  readonly object: 'quote'
  readonly endpoint: QuotedEndpoint
  readonly model: string
  readonly credits: QuotedCredits
  readonly prompt: QuotedPrompt
  /** Tokens that would be generated at most, all answers together; of images their price. */
  readonly max_tokens: number
  /** True if a Host of the account's own would be asked first: its work is free, whatever `credits` says. */
  readonly free: boolean
  /** True if nothing stands in the way: there are credits, or it is free, and a Host to do it. */
  readonly servable: boolean
  /** Hosts that could serve it, in the order in which they would be asked, 20 at most. Those that are busy are among them. */
  readonly hosts: QuotedHost[]
  /** What the request would be refused with now, or null. */
  readonly refusal: QuotedRefusal | null
}

/** Credits, on Hosts of others. */
export interface QuotedCredits {
  /** If nothing of the prompt is cached and the answer has one token. */
  readonly minimum: number
  /** If nothing of the prompt is cached and the answer is as long as it may be. */
  readonly maximum: number
  /** What is held while it runs. The rest is free again at the end. */
  readonly held: number
}

export interface QuotedPrompt {
  /** Tokens of the prompt, all answers together: counted by a Host, or an estimate that is rarely too low. */
  readonly tokens: number
  /** True if a Host that serves the model has counted them. */
  readonly exact: boolean
}

/** A Host that could serve a request. */
export interface QuotedHost {
  /** Its public name, for `Daisi-Host` and `Daisi-Exclude-Hosts`. */
  readonly host: string
  readonly network: string
  /** True if it belongs to the account: its work is free. */
  readonly own: boolean
  /** How far the model is from being ready there. */
  readonly state: 'loaded' | 'loading' | 'unloaded'
  /** Its context there, in tokens. */
  readonly context_length: number
  /** Jobs that it could begin now, as it last said. */
  readonly free_slots: number
  /** Tokens a second of one answer, as it measured, or null. */
  readonly tokens_per_second: number | null
}

/** Why a request would be refused. */
export interface QuotedRefusal {
  readonly code: ErrorCode
  /** What happened and what to do next. */
  readonly message: string
}
