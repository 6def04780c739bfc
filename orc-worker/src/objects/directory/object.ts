import { DurableObject } from 'cloudflare:workers'
import type { Model } from '@daisi/protocol'
import { listModels } from '../../domain/list-models.ts'
import { type PickResult, type Presence, type Requirements, pick } from '../../domain/pick.ts'
import { DirectoryStorage } from './storage.ts'

/** What changes often about a Host. */
export type PresenceUpdate = Pick<Presence, 'freeSlots' | 'accepting' | 'tokensPerSecond'>

/**
 * Who is online in one Network, and what they serve. Everything here can be rebuilt from the Hosts; storage only spares
 * them the question when the object was asleep. Slots live in memory: they are a hint and soon stale.
 */
export class NetworkDirectory extends DurableObject<Env> {
  readonly #storage = new DirectoryStorage(this.ctx.storage.sql)
  readonly #hosts = this.#storage.load()

  /** A Host came online, or says anew what it serves. */
  async announce(presence: Presence): Promise<void> {
    this.#hosts.set(presence.hostId, presence)
    this.#storage.save(presence)
  }

  /** A Host's slots or willingness changed. One that is not known here is ignored: its announcement will follow. */
  async update(hostId: string, connectionId: string, update: PresenceUpdate): Promise<void> {
    const known = this.#hosts.get(hostId)
    if (known?.connectionId === connectionId) this.#hosts.set(hostId, { ...known, ...update })
  }

  /** A Host's connection ended. A later connection of the same Host stays. */
  async withdraw(hostId: string, connectionId: string): Promise<void> {
    if (this.#hosts.get(hostId)?.connectionId !== connectionId) return
    this.#hosts.delete(hostId)
    this.#storage.remove(hostId)
  }

  /** Hosts for a Job, best first, and notes that the first will be busier. */
  async pick(needed: Requirements): Promise<PickResult> {
    const result = pick(this.#hosts.values(), needed, Math.random)
    const chosen = result.ok ? this.#hosts.get(result.candidates[0]?.hostId ?? '') : undefined
    if (chosen !== undefined)
      this.#hosts.set(chosen.hostId, { ...chosen, freeSlots: Math.max(0, chosen.freeSlots - 1) })
    return result
  }

  /** The models that online Hosts serve. */
  async models(): Promise<Model[]> {
    return listModels(this.#hosts.values())
  }
}
