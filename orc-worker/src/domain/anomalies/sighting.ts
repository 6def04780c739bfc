import type { AnomalyKind } from '@daisi/protocol'

/** Something that looked wrong, once. Many of one kind about one subject make one record for the operator. */
export interface Sighting {
  /** Business id: the same sighting noted again is the same. */
  readonly id: string
  readonly kind: AnomalyKind
  /** Id of the Host, account or lease. */
  readonly subject: string
  /** Milliseconds since the epoch. */
  readonly seenAt: number
  /** Numbers, ids and signed receipts. Never a prompt or an answer. */
  readonly detail: Readonly<Record<string, unknown>>
}
