import type { ChatTurn, FinishReason, JobUsage, Sampling } from '@daisi/protocol'

/** What the agent tells an Orc about the loaded model. */
export interface EngineInfo {
  /** Tokens that prompt and answer together may have. */
  readonly contextLength: number
  readonly sizeBytes: number
  /** Jobs that the engine runs at once. */
  readonly slots: number
}

/** One chat to answer. */
export interface EngineJob {
  readonly messages: readonly ChatTurn[]
  readonly sampling: Sampling
  /** Token ids of the answer that were delivered before: they count towards `maxTokens` and are not sent again (J8). */
  readonly continuation: readonly number[]
  /** Bytes of frames that may be produced before a grant (F5). */
  readonly windowBytes: number
}

/** Why an engine does not run a job. Nothing was generated. */
export type EngineRefusal =
  | {
      readonly code: 'context_length_exceeded'
      readonly promptTokens: number
      readonly contextLength: number
      readonly message: string
    }
  | { readonly code: 'invalid_payload' | 'model_not_loaded'; readonly message: string }

/**
 * The stream of one job: `start`, deltas, `end`; or `refused` alone; or `failed` at any point. `refused`, `end` and
 * `failed` come last, and one of them always comes.
 */
export type EngineEvent =
  | { readonly type: 'start'; readonly promptTokens: number; readonly cachedTokens: number }
  | { readonly type: 'delta'; readonly text: string; readonly tokenIds: readonly number[] }
  | {
      readonly type: 'end'
      readonly finishReason: FinishReason | 'cancelled'
      /** `generatedTokens` counts the ids in the deltas. */
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

/** Something that answers chats with one model. */
export interface Engine {
  readonly info: EngineInfo
  /** False while the model is being loaded again after a crash. */
  readonly ready: boolean
  /** Calls `listener` when `ready` changes; returns the function that stops it. */
  onReadyChange(listener: () => void): () => void
  /** Starts a job. Aborting `signal` ends it within one token with finish reason `cancelled`. */
  run(job: EngineJob, signal: AbortSignal): EngineRun
  close(): Promise<void>
}
