import type { OwnerSettings } from '../state/owner-settings.ts'
import type { AgentStatus } from './agent-status.ts'
import type {
  AddModelRequest,
  ControlEvent,
  ListedModel,
  ModelProgress,
  SettingsPatch,
} from './control-wire.ts'
import type { Outcome } from '../outcome.ts'

/** What the owner of a machine can see of the running agent and ask of it. Business failures are returned. */
export interface ControlTarget {
  status(): AgentStatus
  /** Calls `listener` when something changes or happens, at most some ten times a second; returns the function that stops it. */
  watch(listener: (event: ControlEvent) => void): () => void
  /** Takes no work until `resume`, also after a restart. */
  pause(): Promise<Outcome<undefined>>
  /** Ends a pause and a drain. */
  resume(): Promise<Outcome<undefined>>
  /** Finishes what runs, takes nothing new, stays connected. Resolves when that is set, not when the last job has ended. */
  drain(): Promise<void>
  /** Finishes what runs and ends the agent. Resolves when that has begun. */
  stop(): Promise<void>
  settings(): OwnerSettings
  /** Takes effect at once, but for threads and memory, which count for models that are looked at later; remembered, all of it or nothing. */
  applySettings(patch: SettingsPatch): Promise<Outcome<OwnerSettings>>
  models(): Promise<readonly ListedModel[]>
  /** Aborting the signal gives up; what was downloaded is kept for the next time. */
  addModel(
    request: AddModelRequest,
    onProgress: (progress: ModelProgress) => void,
    signal: AbortSignal,
  ): Promise<Outcome<ListedModel>>
  /** `deleteFile` deletes it only where the agent downloaded it itself. */
  removeModel(id: string, options: { readonly deleteFile: boolean }): Promise<Outcome<undefined>>
}
