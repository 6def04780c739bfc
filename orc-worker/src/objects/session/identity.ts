import type { KeyScope } from '@daisi/protocol'
import { database } from '../../db/client.ts'
import { type KeyRecord, findKey } from '../../db/key-access.ts'
import { logEvent } from '../../log.ts'
import {
  isOpenedSession,
  isPlainSession,
  isTokenSession,
  plainSessionKey,
  plainSessionName,
  sessionStub,
} from '../stubs.ts'
import { hasEnded, permit } from './permission.ts'
import { grantedRecord, plainRecord } from './record.ts'
import { INVALID_KEY, NETWORK_NOT_ALLOWED, STORAGE_UNAVAILABLE, UNKNOWN_SESSION } from './refusals.ts'
import type { SessionStorage } from './storage.ts'
import type { Authorized, Caller, SessionFailure, SessionRecord } from './types.ts'

/**
 * Whose Session this is and what its key may do. A plain Session learns it from D1 at its first call, every Session anew at the
 * first call after it was told of a change.
 */
export class SessionIdentity {
  readonly #storage: SessionStorage
  readonly #env: Env
  readonly #name: string | undefined
  #record: SessionRecord | undefined
  #isStale: boolean
  /** Changes that this object was told of. */
  #changes = 0
  #readAt = 0
  /** The read under way: many calls wait for one. */
  #reading: Promise<Authorized | SessionFailure> | undefined

  constructor(storage: SessionStorage, env: Env, name: string | undefined) {
    this.#storage = storage
    this.#env = env
    this.#name = name
    this.#record = storage.record()
    this.#isStale = storage.isStale()
  }

  /** Undefined before the first call, and after everything was forgotten. */
  get record(): SessionRecord | undefined {
    return this.#record
  }
  /** True after a change, until the record was read anew. */
  get isStale(): boolean {
    return this.#isStale
  }
  /** When this object last read the key's record, in milliseconds since the epoch; 0 if it knows it from its storage. */
  get readAt(): number {
    return this.#readAt
  }

  /** What the caller may do in this Session, if it is good for `scope`; without one, if it is good at all. */
  async authorize(caller: Caller, scope: KeyScope | undefined): Promise<Authorized | SessionFailure> {
    const found = await this.#find(caller).catch((error: unknown) => {
      logEvent('key_lookup_failed', { error })
      return STORAGE_UNAVAILABLE
    })
    if (!found.ok) return found
    return permit(found.record, caller, scope, isTokenSession(this.#name) ? 'session' : 'key', Date.now())
  }

  /** Starts an opened Session, which may do what is in the record as long as its key may. */
  open(record: SessionRecord): void {
    this.#storage.saveGrant(record)
    this.#save(record)
  }

  /** Nothing is begun any more. */
  end(status: 'closed' | 'revoked'): void {
    if (this.#record !== undefined) this.#save({ ...this.#record, status })
  }

  /** The key's rights changed. Running Jobs and what they owe go on under the record that is known. */
  markStale(): void {
    this.#changes++
    // A plain Session that knows nothing will read everything anyway; an opened one may be about to be opened.
    if (this.#record === undefined && isPlainSession(this.#name)) return
    this.#isStale = true
    this.#storage.saveStale(true)
  }

  /** Reads the key's record ahead of need. False if the key is gone. Rejects if D1 does not answer. */
  async reread(): Promise<boolean> {
    const found = await this.#read()
    return found.ok || found.code !== INVALID_KEY.code
  }

  /** Leaves nothing behind. */
  forget(): Promise<void> {
    this.#record = undefined
    this.#changes++
    return this.#storage.forget()
  }

  async #find(caller: Caller): Promise<Authorized | SessionFailure> {
    const record = this.#record
    if (!isPlainSession(this.#name) && record?.keyHash !== caller.keyHash) {
      if (isTokenSession(this.#name)) return INVALID_KEY
      // As if there were no such Session: what is wrong with the key comes first.
      return sessionStub(this.#env, plainSessionName(caller.keyHash)).refuse(caller)
    }
    if (record?.status === 'revoked') return INVALID_KEY
    if (record === undefined || this.#isStale) return this.#read()
    // What hears of no further change: one that lost all its Networks, and one that is over and can still be looked at.
    const isOver = isOpenedSession(this.#name) && hasEnded(record, Date.now())
    return isOver || record.networks.length === 0 ? this.#read() : { ok: true, record }
  }

  #read(): Promise<Authorized | SessionFailure> {
    this.#reading ??= this.#readAnew().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  async #readAnew(): Promise<Authorized | SessionFailure> {
    for (;;) {
      const changes = this.#changes
      const known = this.#record
      const name = this.#name ?? ''
      // An opened Session may be forgotten while it reads: only a plain one is made of nothing but its key.
      if (known === undefined && !isPlainSession(name)) return UNKNOWN_SESSION
      const by = known === undefined ? { hash: plainSessionKey(name) } : { keyId: known.keyId }
      const key = await findKey(database(this.#env), by)
      const record = key === undefined ? undefined : await this.#recordOf(key, known, name)
      // What was read before a change may be older than it. From here on nothing is awaited.
      if (changes !== this.#changes) continue
      if (record === undefined) return INVALID_KEY
      if (known === undefined) {
        // Nothing is kept for what can be used for nothing.
        if (record.keyExpiresAt !== null && record.keyExpiresAt <= Date.now()) return INVALID_KEY
        if (record.networks.length === 0) return NETWORK_NOT_ALLOWED
      }
      if (this.#storage.isRevoked()) return INVALID_KEY
      this.#readAt = Date.now()
      if (this.#isStale) this.#storage.saveStale(false)
      this.#isStale = false
      // It may have been closed meanwhile.
      return { ok: true, record: this.#save({ ...record, status: this.#record?.status ?? record.status }) }
    }
  }

  async #recordOf(key: KeyRecord, known: SessionRecord | undefined, name: string): Promise<SessionRecord> {
    if (!isPlainSession(name) && known !== undefined)
      return grantedRecord(this.#storage.grant() ?? known, key)
    const record = await plainRecord(key, plainSessionKey(name))
    // The lease in the book is named after the id.
    return { ...record, sessionId: known?.sessionId ?? record.sessionId }
  }

  #save(record: SessionRecord): SessionRecord {
    this.#record = record
    this.#storage.saveRecord(record)
    return record
  }
}
