import type { JobKind, ModelOffer } from '@daisi/protocol'

/** A Host as the directory knows it. Slots are a hint; the Host itself decides. */
export interface Presence {
  readonly hostId: string
  readonly alias: string
  /** The account that owns it. */
  readonly accountId: string
  /** Tells one connection of a Host from the next, so that a late goodbye does not remove its successor. */
  readonly connectionId: string
  readonly models: readonly ModelOffer[]
  readonly freeSlots: number
  readonly accepting: boolean
  /** True if Consumers may connect to it directly. */
  readonly direct?: boolean
  readonly tokensPerSecond: number | undefined
}

/** What a Job needs of a Host. */
export interface Requirements {
  readonly model: string
  readonly kind: JobKind
  /** The Consumer's account: its own Hosts work for it for free. */
  readonly accountId: string
  /** True if no other Hosts will do. */
  readonly ownOnly: boolean
  /** True if the Consumer wants to connect to the Host directly. */
  readonly direct?: boolean
}

/** A Host that can take a Job, and the model it would run. */
export interface Candidate {
  readonly hostId: string
  readonly connectionId: string
  readonly alias: string
  readonly model: ModelOffer
  /** True if it belongs to the Consumer's account and has a free slot. */
  readonly own: boolean
}

export type PickResult =
  | { readonly ok: true; readonly candidates: readonly Candidate[] }
  | {
      readonly ok: false
      readonly reason: 'no_host_serves_model' | 'no_host_accepts_work' | 'no_host_online'
    }

/** Free slots beyond this count no more: they are a Host's own claim. */
const MAX_COUNTED_SLOTS = 16

/** Hosts tried for one request at most. */
const MAX_CANDIDATES = 4

/**
 * Chooses Hosts for a Job, best first: the Consumer's own ones while they have a free slot, then more free slots, then more
 * speed; equals in random order, so that load spreads.
 * `random` returns numbers in [0, 1).
 */
export function pick(hosts: Iterable<Presence>, needed: Requirements, random: () => number): PickResult {
  let online = 0
  let serving = 0
  const ranked: { candidate: Candidate; own: number; free: number; speed: number; tie: number }[] = []
  for (const host of hosts) {
    const own = host.accountId === needed.accountId
    if (needed.ownOnly && !own) continue
    if (needed.direct === true && host.direct !== true) continue
    online++
    const model = host.models.find((offer) => offer.id === needed.model && offer.kinds.includes(needed.kind))
    if (model === undefined) continue
    serving++
    if (!host.accepting) continue
    const { hostId, connectionId, alias } = host
    const preferred = own && host.freeSlots > 0
    ranked.push({
      candidate: { hostId, connectionId, alias, model, own: preferred },
      own: preferred ? 1 : 0,
      free: Math.min(MAX_COUNTED_SLOTS, Math.max(0, host.freeSlots)),
      speed: host.tokensPerSecond ?? 0,
      tie: random(),
    })
  }
  if (ranked.length === 0) {
    if (online === 0) return { ok: false, reason: 'no_host_online' }
    return { ok: false, reason: serving === 0 ? 'no_host_serves_model' : 'no_host_accepts_work' }
  }
  ranked.sort((a, b) => b.own - a.own || b.free - a.free || b.speed - a.speed || a.tie - b.tie)
  return { ok: true, candidates: ranked.slice(0, MAX_CANDIDATES).map((entry) => entry.candidate) }
}
