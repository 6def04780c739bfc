import type { EngineEvent } from '../engine.ts'

/** A job under way in the engine process. */
export interface ModelRun {
  /** Allows more bytes of frames (F5). */
  grant(bytes: number): void
  /** Resolves after the job's last event. */
  readonly done: Promise<void>
}

/** Where the events of a job go. */
export type Emit = (event: EngineEvent) => void

/** The last event of a job that met a fault. */
export function failure(error: unknown): EngineEvent {
  return { type: 'failed', message: error instanceof Error ? error.message : 'unknown error' }
}
