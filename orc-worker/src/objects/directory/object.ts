import { DurableObject } from 'cloudflare:workers'
import type { ServingHost } from '../../domain/served-models.ts'
import { type PickResult, type Presence, type Requirements, pick } from '../../domain/pick.ts'
import { DirectoryStorage } from './storage.ts'

/** What changes often about a Host. What is absent stays as it is. */
export type PresenceUpdate = Partial<
  Pick<Presence, 'models' | 'states' | 'freeSlots' | 'accepting' | 'tokensPerSecond'>
>

/** A Host that took a Job reports its slots within this time, or has finished the Job already. */
const REPORT_WITHIN_MS = 500

/**
 * Who is online in one Network, and what they serve. Everything here can be rebuilt from the Hosts; storage only spares
 * them the question when the object was asleep. Slots live in memory only: they are a hint and soon stale.
 */
export class NetworkDirectory extends DurableObject<Env> {
  readonly #storage = new DirectoryStorage(this.ctx.storage.sql)
  readonly #hosts = this.#storage.load()
  /** Jobs given to a Host since it last reported: its free slots are fewer than it said. */
  readonly #recentPicks = new Map<string, { count: number; at: number }>()

  /** A Host came online, or says anew what it serves. */
  async announce(presence: Presence): Promise<void> {
    this.#hosts.set(presence.hostId, presence)
    this.#storage.save(presence)
  }

  /** A Host's slots, willingness or models changed. One that is not known here is ignored: its announcement will follow. */
  async update(hostId: string, connectionId: string, update: PresenceUpdate): Promise<void> {
    const known = this.#hosts.get(hostId)
    if (known?.connectionId !== connectionId) return
    const updated = { ...known, ...update }
    this.#hosts.set(hostId, updated)
    if (update.freeSlots !== undefined) this.#recentPicks.delete(hostId)
    if (update.models !== undefined || decidingPart(known) !== decidingPart(updated))
      this.#storage.save(updated)
  }

  /** A Host's connection ended. A later connection of the same Host stays. */
  async withdraw(hostId: string, connectionId: string): Promise<void> {
    if (this.#hosts.get(hostId)?.connectionId !== connectionId) return
    this.#hosts.delete(hostId)
    this.#storage.remove(hostId)
  }

  /** Hosts for a Job, best first. The first is taken to be busier until it reports again. */
  async pick(needed: Requirements): Promise<PickResult> {
    const now = Date.now()
    const result = pick(this.#estimates(now), needed, Math.random)
    const first = result.ok ? result.candidates[0] : undefined
    if (first !== undefined) {
      const count = this.#picksOf(first.hostId, now) + 1
      this.#recentPicks.set(first.hostId, { count, at: now })
    }
    return result
  }

  /** Hosts that could take a Job, best first. None is taken to be busier for it: nothing is given to them. */
  async list(needed: Requirements, most: number): Promise<PickResult> {
    return pick(this.#estimates(Date.now()), needed, Math.random, most)
  }

  /** Who is online and serves what. No more than is shown of it: an answer with all that many Hosts say would be too large to send. */
  async serving(): Promise<ServingHost[]> {
    return [...this.#hosts.values()].map(({ hostId, models, states = [] }) => ({
      hostId,
      models: models.flatMap((offer) => {
        const state = states.find(({ id }) => id === offer.id)?.state ?? 'loaded'
        const { id, aliases, contextLength, kinds, capabilities } = offer
        const shown = { id, contextLength, kinds, capabilities, state, ...(aliases && { aliases }) }
        return state === 'failed' ? [] : { ...shown, state }
      }),
    }))
  }

  *#estimates(now: number): Generator<Presence> {
    for (const host of this.#hosts.values()) {
      yield { ...host, freeSlots: Math.max(0, host.freeSlots - this.#picksOf(host.hostId, now)) }
    }
  }

  #picksOf(hostId: string, now: number): number {
    const picks = this.#recentPicks.get(hostId)
    return picks === undefined || now - picks.at > REPORT_WITHIN_MS ? 0 : picks.count
  }
}

/** What must outlive sleep, since it decides, unlike slots and how far a model is loaded. */
function decidingPart({ accepting, states = [] }: Presence): string {
  return JSON.stringify([accepting, states.map(({ id, state }) => [id, state])])
}
