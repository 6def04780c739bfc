import { deleteFact, readFact, saveFact } from './facts.ts'
import { completeRecord } from './record.ts'
import { applySessionSchema } from './schema.ts'
import type { SessionRecord } from './types.ts'

/** What a ConsumerSession knows about itself and the Sessions that its key opened. */
export class SessionStorage {
  readonly #storage: DurableObjectStorage
  #isForgotten = false
  constructor(storage: DurableObjectStorage) {
    this.#storage = storage
    applySessionSchema(storage)
  }

  /** Leaves nothing behind, until something is asked or kept here again. */
  async forget(): Promise<void> {
    await this.#storage.deleteAll()
    this.#isForgotten = true
  }

  get #sql(): SqlStorage {
    if (this.#isForgotten) applySessionSchema(this.#storage)
    this.#isForgotten = false
    return this.#storage.sql
  }

  record(): SessionRecord | undefined {
    const stored = readFact<SessionRecord>(this.#sql, 'record')
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
    return readFact<boolean>(this.#sql, 'revoked') === true
  }

  /** What an opened Session was opened with: more than this it never may. */
  grant(): SessionRecord | undefined {
    return readFact<SessionRecord>(this.#sql, 'grant')
  }
  saveGrant(record: SessionRecord): void {
    saveFact(this.#sql, 'grant', record)
  }
  /** The record is out of date until it was read anew. */
  isStale(): boolean {
    return readFact<boolean>(this.#sql, 'stale') === true
  }
  saveStale(isStale: boolean): void {
    if (isStale) saveFact(this.#sql, 'stale', true)
    else deleteFact(this.#sql, 'stale')
  }

  /** When the use of the key was last noted in D1, in milliseconds since the epoch; 0 for never. */
  notedAt(): number {
    return readFact<number>(this.#sql, 'noted_at') ?? 0
  }
  saveNotedAt(time: number): void {
    saveFact(this.#sql, 'noted_at', time)
  }

  /** Remembers a Session that this one opened, as long as it may exist. */
  addOpenedSession(name: string, until: number, now: number): void {
    this.#sql.exec('DELETE FROM opened_sessions WHERE expires_at <= ?', now)
    this.#sql.exec('INSERT OR IGNORE INTO opened_sessions (name, expires_at) VALUES (?, ?)', name, until)
  }
  openedSessions(now: number): string[] {
    return this.#sql
      .exec<{ name: string }>('SELECT name FROM opened_sessions WHERE expires_at > ?', now)
      .toArray()
      .map((row) => row.name)
  }
}
