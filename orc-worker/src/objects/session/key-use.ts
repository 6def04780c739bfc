import { database } from '../../db/client.ts'
import { touchKey } from '../../db/key-access.ts'
import type { SessionIdentity } from './identity.ts'
import type { SessionStorage } from './storage.ts'

/** How often a Session notes that its key is used, and how old its word on the key may become. */
const NOTE_EVERY_MS = 5 * 60 * 1000

/**
 * Notes in D1 that a key is used, and looks there whether it still is what the Session takes it for: whoever changed it may have died
 * before it told the Session.
 */
export class KeyUse {
  readonly #storage: SessionStorage
  readonly #identity: SessionIdentity
  readonly #env: Env
  #notedAt: number

  constructor(storage: SessionStorage, identity: SessionIdentity, env: Env) {
    this.#storage = storage
    this.#identity = identity
    this.#env = env
    this.#notedAt = storage.notedAt()
  }

  /** Call at each use; does nothing most of the time. False if the key is gone. Rejects if D1 does not answer. */
  async note(keyId: string, now: number): Promise<boolean> {
    if (now - this.#notedAt < NOTE_EVERY_MS) return true
    this.#notedAt = now
    this.#storage.saveNotedAt(now)
    await touchKey(database(this.#env), keyId, now, NOTE_EVERY_MS)
    return now - this.#identity.readAt < NOTE_EVERY_MS || this.#identity.reread()
  }
}
