import type { SettlementEntry } from '../../db/ledger.ts'
import type { Transfer } from '../../domain/money/transfer.ts'

/** A write to the book that was decided here and is not yet known to have happened there. */
export type PendingWrite =
  | { readonly kind: 'refill' | 'release'; readonly transfer: Transfer }
  | {
      readonly kind: 'settle'
      readonly entry: SettlementEntry
      /** The Jobs that it pays. */
      readonly jobIds: readonly string[]
    }
