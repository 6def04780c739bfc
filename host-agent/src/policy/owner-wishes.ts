import type { IdleReason } from '@daisi/protocol'
import type { Outcome } from '../outcome.ts'
import type { OwnerSettings } from '../state/owner-settings.ts'

/** A change of settings. */
export type OwnerPatch = { readonly [Name in keyof OwnerSettings]?: OwnerSettings[Name] | undefined }

/** What the owner of this machine wants, as far as connections and jobs ask for it. */
export interface OwnerWishes {
  readonly settings: OwnerSettings
  /** Why no work is taken now; undefined while it is. */
  readonly reason: IdleReason | undefined
  /** Calls `listener` when `settings` or `reason` change; returns the function that stops it. */
  onChange(listener: () => void): () => void
  /** True if the owner does not work on such texts. */
  declines(texts: Iterable<string>): boolean
  /** Changes these settings, each whole, in memory and on disk: all of them or none. What is absent stays as it is. */
  change(patch: OwnerPatch): Promise<Outcome<OwnerSettings>>
}
