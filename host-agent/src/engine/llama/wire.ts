import type { EngineEvent, EngineInfo, EngineJob } from '../engine.ts'
import type { LoadOptions } from './load.ts'

/** Agent → engine process. */
export type ToEngine =
  | { readonly type: 'load'; readonly options: LoadOptions }
  | { readonly type: 'run'; readonly id: number; readonly job: EngineJob }
  | { readonly type: 'cancel'; readonly id: number }
  | { readonly type: 'grant'; readonly id: number; readonly bytes: number }
  | { readonly type: 'close' }

/** Engine process → agent. */
export type FromEngine =
  | { readonly type: 'loaded'; readonly info: EngineInfo }
  | { readonly type: 'load-failed'; readonly message: string }
  | { readonly type: 'event'; readonly id: number; readonly event: EngineEvent }
