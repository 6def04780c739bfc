import { logEvent } from '../../log.ts'
import { hostStub } from '../stubs.ts'

/** A Session token that a Host honours on its own, without asking the Orc. */
export interface DirectToken {
  readonly id: string
  readonly hostId: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

/** The Session tokens that are out for Direct Connections, so that the end of the Session reaches the Hosts. */
export class DirectTokens {
  readonly #sql: SqlStorage
  constructor(sql: SqlStorage) {
    this.#sql = sql
  }

  add({ id, hostId, expiresAt }: DirectToken, now: number): void {
    this.#sql.exec('DELETE FROM direct_tokens WHERE expires_at <= ?', now)
    this.#sql.exec('INSERT OR REPLACE INTO direct_tokens VALUES (?, ?, ?)', id, hostId, expiresAt)
  }

  /** Tells every Host that has one (rule D9). A Host that cannot be told now is told when it greets again. */
  async revokeAll(env: Env): Promise<void> {
    const rows = this.#sql
      .exec<{ id: string; host_id: string }>('SELECT id, host_id FROM direct_tokens')
      .toArray()
    const hosts = Map.groupBy(rows, (row) => row.host_id)
    await Promise.all(
      [...hosts].map(async ([hostId, tokens]) => {
        try {
          await hostStub(env, hostId).revokeDirect(tokens.map(({ id }) => id))
          for (const { id } of tokens) this.#sql.exec('DELETE FROM direct_tokens WHERE id = ?', id)
        } catch (error) {
          logEvent('direct_revocation_failed', { hostId, error })
        }
      }),
    )
  }
}
