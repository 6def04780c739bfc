import type { Sighting } from './sighting.ts'

/** A Session and the book disagreed about a lease: how much each thought it to have, and what is not paid for that. */
export interface Drift {
  readonly session: number
  readonly book: number
  readonly unpaid: readonly { readonly payee: string; readonly credits: number }[]
  readonly unheld: number
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** One sighting for each disagreement, however often it is told. */
export function leaseDrift(leaseId: string, { session, book, unpaid, unheld, at }: Drift): Sighting {
  const detail = { session, book, unpaid, unheld }
  return { id: `lease_drift:${leaseId}:${at}`, kind: 'lease_drift', subject: leaseId, seenAt: at, detail }
}
