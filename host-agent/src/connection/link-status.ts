import type { IdleReason } from '@daisi/protocol'
import type { LinkState } from './link-state.ts'

/** How a link stands. */
export interface LinkStatus {
  readonly url: string
  readonly state: LinkState
  /** What Consumers see of this Host. */
  readonly alias: string | undefined
  /** Networks that are served. */
  readonly networks: readonly string[]
  /** Why nothing is taken from this Orc; undefined while it is. */
  readonly reason: IdleReason | undefined
  /** Why it is not connected. */
  readonly problem: string | undefined
  /** A version of daisi-host that this Orc knows and that is newer than this one. */
  readonly update: string | undefined
}
