import { deleteFact, readFact, saveFact } from './facts.ts'
import { completeRecord } from './record.ts'
import { applySessionSchema, hasSessionTables } from './schema.ts'
import type { SessionRecord } from './types.ts'

/**
 * What a ConsumerSession knows about itself and the Sessions that its key opened. There are no tables until something is kept: an object
 * that is asked for by a credential which is good for nothing leaves nothing behind.
 */
export class SessionStorage {
  readonly #storage: DurableObjectStorage
  #hasTables: boolean
  constructor(storage: DurableObjectStorage) {
    this.#storage = storage
    this.#hasTables = hasSessionTables(storage)
    // They may be those of an earlier version.
    if (this.#hasTables) applySessionSchema(storage)
  }

  /** Makes the tables, if there are none. Call it before the Session's money is touched where it has no record. */
  prepare(): void {
    if (!this.#hasTables) applySessionSchema(this.#storage)
    this.#hasTables = true
  }

  /** Leaves nothing behind, until something is kept here again. */
  async forget(): Promise<void> {
    await this.#storage.deleteAll()
    this.#hasTables = false
  }

  /** To write: the tables are there. */
  get #sql(): SqlStorage {
    this.prepare()
    return this.#storage.sql
  }

  #read<Value>(name: string): Value | undefined {
    return this.#hasTables ? readFact<Value>(this.#storage.sql, name) : undefined
  }

  record(): SessionRecord | undefined {
    const stored = this.#read<SessionRecord>('record')
    return stored === undefined ? undefined : completeRecord(stored)
  }
  saveRecord(record: SessionRecord): void {
    saveFact(this.#sql, 'record', record)
  }
  /** A revocation is final, and may come before anything else is known. */
  markRevoked(): void {
    saveFact(this.#sql, 'revoked', true)
  }
  isRevoked(): boolean {
    return this.#read<boolean>('revoked') === true
  }

  /** What an opened Session was opened with: more than this it never may. */
  grant(): SessionRecord | undefined {
    return this.#read<SessionRecord>('grant')
  }
  saveGrant(record: SessionRecord): void {
    saveFact(this.#sql, 'grant', record)
  }
  /** The record is out of date until it was read anew. */
  isStale(): boolean {
    return this.#read<boolean>('stale') === true
  }
  saveStale(isStale: boolean): void {
    if (isStale) saveFact(this.#sql, 'stale', true)
    else deleteFact(this.#sql, 'stale')
  }

  /** When the use of the key was last noted in D1, in milliseconds since the epoch; 0 for never. */
  notedAt(): number {
    return this.#read<number>('noted_at') ?? 0
  }
  saveNotedAt(time: number): void {
    saveFact(this.#sql, 'noted_at', time)
  }

  /** Remembers a Session that this one opened until it ends. */
  addOpenedSession(name: string, until: number): void {
    this.#sql.exec('INSERT OR IGNORE INTO opened_sessions (name, expires_at) VALUES (?, ?)', name, until)
  }
  /** It ended early, or was not opened after all. */
  removeOpenedSession(name: string): void {
    if (this.#hasTables) this.#storage.sql.exec('DELETE FROM opened_sessions WHERE name = ?', name)
  }
  /** How many there are, and when the next ends: milliseconds since the epoch. Forgets those that ended. */
  countOpenedSessions(now: number): { readonly count: number; readonly nextEnd: number } {
    this.#sql.exec('DELETE FROM opened_sessions WHERE expires_at <= ?', now)
    return this.#sql
      .exec<{ count: number; nextEnd: number }>(
        'SELECT count(*) AS count, coalesce(min(expires_at), 0) AS "nextEnd" FROM opened_sessions',
      )
      .one()
  }
  openedSessions(now: number): string[] {
    if (!this.#hasTables) return []
    return this.#storage.sql
      .exec<{ name: string }>('SELECT name FROM opened_sessions WHERE expires_at > ?', now)
      .toArray()
      .map((row) => row.name)
  }
}
