import type { JobKind, ModelOffer, ModelState } from '@daisi/protocol'

/** A Host as the directory knows it. Slots are a hint; the Host itself decides. */
export interface Presence {
  readonly hostId: string
  readonly alias: string
  /** The account that owns it. */
  readonly accountId: string
  /** Tells one connection of a Host from the next, so that a late goodbye does not remove its successor. */
  readonly connectionId: string
  readonly models: readonly ModelOffer[]
  /** Of those models that are not ready to work (rule H11). */
  readonly states?: readonly ModelState[]
  readonly freeSlots: number
  readonly accepting: boolean
  /** True if Consumers may connect to it directly. */
  readonly direct?: boolean
  readonly tokensPerSecond: number | undefined
}

/** What a Job needs of a Host. */
export interface Requirements {
  /** Id or alias of the model. */
  readonly model: string
  readonly kind: JobKind
  /** The Consumer's account: its own Hosts work for it for free. */
  readonly accountId: string
  /** True if no other Hosts will do. */
  readonly ownOnly: boolean
  /** True if the Consumer wants to connect to the Host directly. */
  readonly direct?: boolean
  /** Abilities that the model must have there, all of them. */
  readonly capabilities?: readonly string[]
  /** Alias of the only Host that will do. */
  readonly host?: string | undefined
  /** Aliases of Hosts that will not do. */
  readonly excludeHosts?: readonly string[]
}

/** A Host that can take a Job, and the model it would run. */
export interface Candidate {
  readonly hostId: string
  readonly connectionId: string
  readonly alias: string
  readonly model: ModelOffer
  /** True if it belongs to the Consumer's account: its work is free. */
  readonly sameAccount: boolean
  /** True if it has a free slot as well: it is asked before others. */
  readonly own: boolean
  /** How far the model is from being ready there. */
  readonly state: ReadyState
  /** As it last said, less what it was given since. */
  readonly freeSlots: number
  readonly tokensPerSecond: number | undefined
}

/** A model in one of these states can be asked for. */
export type ReadyState = Exclude<ModelState['state'], 'failed'>

export type PickResult =
  | { readonly ok: true; readonly candidates: readonly Candidate[] }
  | {
      readonly ok: false
      readonly reason:
        | 'no_host_online'
        | 'no_host_allowed'
        | 'no_host_serves_model'
        | 'model_failed'
        | 'no_host_has_capabilities'
        | 'no_host_accepts_work'
      /** For `no_host_has_capabilities`: what the Host that lacks least of it lacks. */
      readonly missing?: readonly string[]
    }

/** Free slots beyond this count no more: they are a Host's own claim. */
const MAX_COUNTED_SLOTS = 16

/** Hosts tried for one request at most. */
const MAX_CANDIDATES = 4

/** A model that is ready answers sooner than one that is being loaded, and that sooner than one that is not. */
const READINESS: Readonly<Record<ReadyState, number>> = {
  loaded: 2,
  loading: 1,
  unloaded: 0,
}

/**
 * Chooses Hosts for a Job, best first: the Consumer's own ones while they have a free slot, then those whose model is loaded or
 * nearly so, then more free slots, then more speed; equals in random order, so that load spreads. A model that failed to load is not
 * asked for. `random` returns numbers in [0, 1). At most `most` are named.
 */
export function pick(
  hosts: Iterable<Presence>,
  needed: Requirements,
  random: () => number,
  most = MAX_CANDIDATES,
): PickResult {
  const seen = { online: 0, allowed: 0, serving: 0, working: 0, able: 0 }
  let missing: readonly string[] | undefined
  const ranked: Ranked[] = []
  for (const host of hosts) {
    const sameAccount = host.accountId === needed.accountId
    if (needed.ownOnly && !sameAccount) continue
    if (needed.direct === true && host.direct !== true) continue
    seen.online++
    if (!isAllowed(host.alias, needed)) continue
    seen.allowed++
    const model = offerOf(host.models, needed)
    if (model === undefined) continue
    seen.serving++
    const state = host.states?.find(({ id }) => id === model.id)?.state ?? 'loaded'
    if (state === 'failed') continue
    seen.working++
    const lacking = (needed.capabilities ?? []).filter((name) => !model.capabilities.includes(name))
    if (lacking.length > 0) {
      if (missing === undefined || lacking.length < missing.length) missing = lacking
      continue
    }
    seen.able++
    if (!host.accepting) continue
    const { hostId, connectionId, alias, freeSlots, tokensPerSecond } = host
    const own = sameAccount && freeSlots > 0
    ranked.push({
      candidate: { hostId, connectionId, alias, model, sameAccount, own, state, freeSlots, tokensPerSecond },
      own: own ? 1 : 0,
      readiness: READINESS[state],
      free: Math.min(MAX_COUNTED_SLOTS, Math.max(0, freeSlots)),
      speed: tokensPerSecond ?? 0,
      tie: random(),
    })
  }
  if (ranked.length > 0) {
    const best = ranked.toSorted(byRank).slice(0, most)
    return { ok: true, candidates: best.map(({ candidate }) => candidate) }
  }
  if (seen.online === 0) return { ok: false, reason: 'no_host_online' }
  if (seen.allowed === 0) return { ok: false, reason: 'no_host_allowed' }
  if (seen.serving === 0) return { ok: false, reason: 'no_host_serves_model' }
  if (seen.working === 0) return { ok: false, reason: 'model_failed' }
  if (seen.able === 0) return { ok: false, reason: 'no_host_has_capabilities', missing: missing ?? [] }
  return { ok: false, reason: 'no_host_accepts_work' }
}

/** True if the Consumer lets this Host work for it. */
function isAllowed(alias: string, { host, excludeHosts = [] }: Requirements): boolean {
  return (host === undefined || host === alias) && !excludeHosts.includes(alias)
}

interface Ranked {
  readonly candidate: Candidate
  readonly own: number
  readonly readiness: number
  readonly free: number
  readonly speed: number
  readonly tie: number
}

function byRank(a: Ranked, b: Ranked): number {
  return b.own - a.own || b.readiness - a.readiness || b.free - a.free || b.speed - a.speed || a.tie - b.tie
}

/** The model of this name, of a Host that serves it for this kind of work. An id counts before another model's alias. */
function offerOf(models: readonly ModelOffer[], { model, kind }: Requirements): ModelOffer | undefined {
  const fitting = models.filter(({ kinds }) => kinds.includes(kind))
  return fitting.find(({ id }) => id === model) ?? fitting.find(({ aliases }) => aliases?.includes(model))
}
