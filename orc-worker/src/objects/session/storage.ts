import { readFact, saveFact } from './facts.ts'
import { applySessionSchema } from './schema.ts'
import type { SessionRecord } from './types.ts'

/** What a ConsumerSession knows about itself and the Sessions that its key opened. */
export class SessionStorage {
  readonly #storage: DurableObjectStorage
  readonly #sql: SqlStorage
  constructor(storage: DurableObjectStorage) {
    this.#storage = storage
    this.#sql = storage.sql
    applySessionSchema(storage)
  }

  /** Leaves nothing behind. The object must not use its storage again before it is made anew. */
  forget(): Promise<void> {
    return this.#storage.deleteAll()
  }

  record(): SessionRecord | undefined {
    return readFact<SessionRecord>(this.#sql, 'record')
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

  addOpenedSession(name: string, expiresAt: number, now: number): void {
    this.#sql.exec('DELETE FROM opened_sessions WHERE expires_at <= ?', now)
    this.#sql.exec('INSERT OR IGNORE INTO opened_sessions (name, expires_at) VALUES (?, ?)', name, expiresAt)
  }
  openedSessions(): string[] {
    return this.#sql
      .exec<{ name: string }>('SELECT name FROM opened_sessions')
      .toArray()
      .map((row) => row.name)
  }
}
