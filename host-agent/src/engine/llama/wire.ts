import type { EngineEvent, EngineInfo, EngineJob, ModelLoadCode } from '../engine.ts'
import type { LoadOptions } from './load-options.ts'
import type { ModelFacts } from './model-facts.ts'

/** Agent → engine process. */
export type ToEngine =
  | { readonly type: 'load'; readonly options: LoadOptions }
  | { readonly type: 'run'; readonly id: number; readonly job: EngineJob }
  | { readonly type: 'cancel'; readonly id: number }
  | { readonly type: 'grant'; readonly id: number; readonly bytes: number }
  | { readonly type: 'close' }

/** Engine process → agent. */
export type FromEngine =
  | { readonly type: 'progress'; readonly percent: number }
  | { readonly type: 'loaded'; readonly info: EngineInfo }
  | LoadFailure
  | { readonly type: 'events'; readonly events: readonly RunEvent[] }

/** What happened to one job. */
export interface RunEvent {
  readonly id: number
  readonly event: EngineEvent
}

/** Agent → the process that looks at files and hardware. */
export type ToInspector = { readonly type: 'model'; readonly options: LoadOptions } | { readonly type: 'gpu' }

/** That process → agent. */
export type FromInspector =
  | { readonly type: 'model'; readonly facts: ModelFacts }
  | { readonly type: 'gpu'; readonly gpu: GpuFacts }
  | LoadFailure

export interface LoadFailure {
  readonly type: 'load-failed'
  readonly code: ModelLoadCode
  readonly message: string
}

/** The graphics cards as llama.cpp sees them. */
export interface GpuFacts {
  /** How they are driven; undefined: none is used. */
  readonly type: 'cuda' | 'vulkan' | 'metal' | undefined
  readonly devices: readonly string[]
  readonly totalBytes: number
  readonly freeBytes: number
}
