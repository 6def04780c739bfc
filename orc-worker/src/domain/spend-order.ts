import type { SpendClass } from '@daisi/protocol'
import type { Candidate, PickResult } from './pick.ts'

/** A Host that can take a Job, and the Network on which it would. */
export interface Choice extends Candidate {
  readonly network: string
}

/** What one Network's directory answered. */
export interface NetworkPick {
  readonly network: string
  readonly kind: 'public' | 'private'
  readonly result: PickResult
}

export type Choices =
  | { readonly ok: true; readonly choices: readonly Choice[] }
  | Extract<PickResult, { ok: false }>

/** Hosts tried for one request at most, over all Networks. */
const MAX_CHOICES = 4

/** From what says least about why there is no Host to what says most. */
const REASONS = [
  'no_host_online',
  'no_host_allowed',
  'no_host_serves_model',
  'model_failed',
  'no_host_has_capabilities',
  'no_host_accepts_work',
] as const

/**
 * Joins what the directories of several Networks answered, in the Consumer's spend order: a Host of its own counts as `own`
 * if the order names that class, every other as of its Network's kind. Classes that the order leaves out are not used. Within a
 * class each directory's order stays; a Host that serves several of the Networks is tried once.
 */
export function inSpendOrder(
  picks: readonly NetworkPick[],
  order: readonly SpendClass[],
  most = MAX_CHOICES,
): Choices {
  const ranked = picks.flatMap(({ network, kind, result }) =>
    result.ok
      ? result.candidates.map((candidate, place) => {
          const spendClass = candidate.own && order.includes('own') ? 'own' : kind
          return { choice: { ...candidate, network }, rank: order.indexOf(spendClass), place }
        })
      : [],
  )
  const usable = ranked
    .filter(({ rank }) => rank >= 0)
    .toSorted((a, b) => a.rank - b.rank || a.place - b.place)
    .map(({ choice }) => choice)
  const choices = usable.filter(
    ({ hostId }, index) => usable.findIndex((other) => other.hostId === hostId) === index,
  )
  if (choices.length > 0) return { ok: true, choices: choices.slice(0, most) }
  const refusals = picks.map(({ result }) =>
    result.ok ? ({ ok: false, reason: 'no_host_serves_model' } as const) : result,
  )
  const telling = refusals.toSorted((a, b) => REASONS.indexOf(b.reason) - REASONS.indexOf(a.reason))
  return telling[0] ?? { ok: false, reason: 'no_host_online' }
}
