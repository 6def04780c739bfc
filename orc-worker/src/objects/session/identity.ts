import type { KeyScope } from '@daisi/protocol'
import { findKey } from '../../db/apps.ts'
import { database } from '../../db/client.ts'
import { logEvent } from '../../log.ts'
import { isPlainSession } from '../stubs.ts'
import { plainRecord } from './record.ts'
import {
  INVALID_KEY,
  NETWORK_NOT_ALLOWED,
  STORAGE_UNAVAILABLE,
  UNKNOWN_SESSION,
  refusal,
} from './refusals.ts'
import type { SessionStorage } from './storage.ts'
import type { Authorized, SessionFailure, SessionRecord } from './types.ts'

/** Whose Session this is and what its key may do. A plain Session learns it from D1 at its first call. */
export class SessionIdentity {
  readonly #storage: SessionStorage
  readonly #env: Env
  readonly #name: string | undefined
  #record: SessionRecord | undefined

  constructor(storage: SessionStorage, env: Env, name: string | undefined) {
    this.#storage = storage
    this.#env = env
    this.#name = name
    this.#record = storage.record()
  }

  /** Undefined before the first call, and after everything was forgotten. */
  get record(): SessionRecord | undefined {
    return this.#record
  }

  /** Checks that the key behind `keyHash` may use this Session for `scope`. */
  async authorize(keyHash: string, network: string, scope: KeyScope): Promise<Authorized | SessionFailure> {
    const found = await this.#find(keyHash, network).catch((error: unknown) => {
      logEvent('key_lookup_failed', { error })
      return STORAGE_UNAVAILABLE
    })
    if (!found.ok) return found
    if (found.record.status === 'revoked') return INVALID_KEY
    if (found.record.scopes.includes(scope)) return found
    return refusal('insufficient_scope', `This key lacks the scope ${scope}. Create a key that has it.`)
  }

  save(record: SessionRecord): SessionRecord {
    this.#record = record
    this.#storage.saveRecord(record)
    return record
  }

  /** Leaves nothing behind. */
  forget(): Promise<void> {
    this.#record = undefined
    return this.#storage.forget()
  }

  async #find(keyHash: string, network: string): Promise<Authorized | SessionFailure> {
    if (!isPlainSession(this.#name)) {
      return this.#record?.keyHash === keyHash ? { ok: true, record: this.#record } : UNKNOWN_SESSION
    }
    if (this.#record !== undefined) return { ok: true, record: this.#record }
    const key = await findKey(database(this.#env), keyHash)
    if (key === undefined) return INVALID_KEY
    // Nothing is kept for a Network that the key may not use: each name it tries would cost us storage.
    if (!key.networks.includes(network)) return NETWORK_NOT_ALLOWED
    const record = await plainRecord(key, keyHash, network)
    // Last, with no await behind it: the key may have been revoked since its row was read.
    if (this.#storage.isRevoked()) return INVALID_KEY
    return { ok: true, record: this.#record ?? this.save(record) }
  }
}
