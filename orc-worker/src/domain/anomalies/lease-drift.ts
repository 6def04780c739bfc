import type { Sighting } from './sighting.ts'

/** A Session and the book disagreed about a lease: how much each thought it to have, and what is unpaid for that. */
export interface Drift {
  readonly leaseId: string
  readonly session: number
  readonly book: number
  readonly unpaid: readonly { readonly payee: string; readonly credits: number }[]
}

/** One sighting for each lease and moment: each disagreement is another one. */
export function leaseDrift({ leaseId, ...detail }: Drift, now: number): Sighting {
  return { id: `lease_drift:${leaseId}:${now}`, kind: 'lease_drift', subject: leaseId, seenAt: now, detail }
}
