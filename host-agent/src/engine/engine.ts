import type {
  Capability,
  ChatPayload,
  CompletionPayload,
  EmbeddingPayload,
  FinishReason,
  ImagePayload,
  JobUsage,
  OutputPart,
  RankingPayload,
  Refused,
  ServedKind,
  TokenLogprob,
} from '@daisi/protocol'

/** What an engine says about its model. */
export interface EngineInfo {
  /** Tokens that prompt and answer together may have. */
  readonly contextLength: number
  /** Size of the model's file; undefined where there is none here. */
  readonly sizeBytes: number | undefined
  /** Jobs that the engine runs at once. */
  readonly slots: number
  readonly kinds: readonly ServedKind[]
  readonly capabilities: readonly Capability[]
}

/** Work of one kind. */
export type EngineWork =
  | ({
      readonly kind: 'chat'
      /** Token ids of the answer that were delivered before: they count towards `maxTokens` and are not sent again (J8). */
      readonly continuation: readonly number[]
    } & ChatPayload)
  | ({ readonly kind: 'completion'; readonly continuation: readonly number[] } & CompletionPayload)
  | ({ readonly kind: 'embedding' } & EmbeddingPayload)
  | ({ readonly kind: 'ranking' } & RankingPayload)
  | ({ readonly kind: 'image' } & ImagePayload)

/** One piece of work for an engine. */
export type EngineJob = EngineWork & {
  /** Bytes of frames that may be produced before a grant (F5). */
  readonly windowBytes: number
  /** Only prompts of the same scope are reused: how much is cached would tell a stranger what others asked. */
  readonly scope?: string
}

/** Work of kind `chat`. */
export type ChatJob = Extract<EngineJob, { kind: 'chat' }>
/** Work of kind `completion`. */
export type CompletionJob = Extract<EngineJob, { kind: 'completion' }>

/** Why an engine does not run a job. Nothing was generated. */
export type EngineRefusal =
  | {
      readonly code: 'context_length_exceeded'
      readonly promptTokens: number
      readonly contextLength: number
      readonly message: string
    }
  | {
      readonly code: 'invalid_payload'
      readonly message: string
      /** What is at fault. */
      readonly field?: NonNullable<Refused['field']>
    }
  | {
      readonly code: 'model_not_loaded' | 'unsupported_kind' | 'busy'
      readonly message: string
    }

/**
 * The stream of one job: `start`, then deltas or results, `end`; or `refused` alone; or `failed` at any point. `refused`,
 * `end` and `failed` come last, and one of them always comes.
 */
export type EngineEvent =
  | {
      readonly type: 'start'
      /** Tokens of everything that is read before the answer. */
      readonly promptTokens: number
      readonly cachedTokens: number
    }
  | {
      readonly type: 'delta'
      readonly text: string
      /** In place of `text`, which is empty then: output that is more than text (F10). */
      readonly parts?: readonly OutputPart[]
      /** Ids of exactly the tokens of this output; empty where the engine cannot know them. */
      readonly tokenIds: readonly number[]
      /** Tokens of this output, where `tokenIds` is empty. */
      readonly tokenCount?: number
      /** One for each token, if the job asked for them. */
      readonly logprobs?: readonly TokenLogprob[]
    }
  | {
      /** A part of one result: the texts of its parts, joined, are the result (F8). */
      readonly type: 'result'
      readonly text: string
      readonly last: boolean
      /** Token equivalent of the whole result, with its last part; else 0. */
      readonly tokenCount: number
    }
  | {
      readonly type: 'end'
      readonly finishReason: FinishReason | 'cancelled'
      /** `generatedTokens` counts the tokens of deltas and results. */
      readonly usage: JobUsage
      /** Measured speed of this stream; absent for answers too short to tell. */
      readonly tokensPerSecond?: number
    }
  | { readonly type: 'refused'; readonly refusal: EngineRefusal }
  | { readonly type: 'failed'; readonly message: string }

/** One running job. Iterate it once. */
export interface EngineRun extends AsyncIterable<EngineEvent> {
  /** Allows more bytes of frames; the engine pauses its generation when the window is used up. */
  grant(bytes: number): void
}

/** Something that works with one model. */
export interface Engine {
  readonly info: EngineInfo
  /** False while the model is being loaded again after a crash, or its server does not answer. */
  readonly ready: boolean
  /** Calls `listener` when `ready` changes; returns the function that stops it. */
  onReadyChange(listener: () => void): () => void
  /** Starts a job. Aborting `signal` ends it within one token with finish reason `cancelled`. */
  run(job: EngineJob, signal: AbortSignal): EngineRun
  close(): Promise<void>
}

/** A model could not be made ready to work. `message` says what to do next. */
export class ModelLoadError extends Error {
  readonly code: ModelLoadCode

  constructor(code: ModelLoadCode, message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
  }
}
/** Why: missing or no GGUF; ends early or is damaged; not for this version of llama.cpp; not enough memory; its process or server failed. */
export type ModelLoadCode =
  | 'model_unusable'
  | 'model_damaged'
  | 'model_unsupported'
  | 'not_enough_memory'
  | 'model_load_failed'
