import type { Presence } from '../../domain/pick.ts'

/** The Hosts of one Network, kept over sleep. */
export class DirectoryStorage {
  readonly #sql: SqlStorage
  constructor(sql: SqlStorage) {
    this.#sql = sql
    sql.exec('CREATE TABLE IF NOT EXISTS hosts (id TEXT PRIMARY KEY, presence TEXT NOT NULL) STRICT')
  }

  load(): Map<string, Presence> {
    const rows = this.#sql.exec<{ id: string; presence: string }>('SELECT id, presence FROM hosts').toArray()
    return new Map(rows.map((row) => [row.id, JSON.parse(row.presence) as Presence]))
  }
  save(presence: Presence): void {
    const text = JSON.stringify(presence)
    this.#sql.exec('INSERT OR REPLACE INTO hosts (id, presence) VALUES (?, ?)', presence.hostId, text)
  }
  remove(hostId: string): void {
    this.#sql.exec('DELETE FROM hosts WHERE id = ?', hostId)
  }
}
