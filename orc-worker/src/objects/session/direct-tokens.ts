import { logEvent } from '../../log.ts'
import { hostStub } from '../stubs.ts'

/** A Session token that a Host honours on its own, without asking the Orc. */
export interface DirectToken {
  readonly id: string
  readonly hostId: string
  /** When nothing that was done under it counts any more, in milliseconds since the epoch. */
  readonly expiresAt: number
}

/** The Session tokens that are out for Direct Connections, so that the end of the Session reaches the Hosts. */
export class DirectTokens {
  readonly #sql: SqlStorage
  readonly #env: Env
  constructor(sql: SqlStorage, env: Env) {
    this.#sql = sql
    this.#env = env
  }

  add({ id, hostId, expiresAt }: DirectToken, now: number): void {
    this.#sql.exec('DELETE FROM direct_tokens WHERE expires_at <= ?', now)
    this.#sql.exec(
      'INSERT OR REPLACE INTO direct_tokens (id, host_id, expires_at) VALUES (?, ?, ?)',
      id,
      hostId,
      expiresAt,
    )
  }

  /** No token that is out is good any more (rule D9). True once every Host's object knows; false: `tell` again later. */
  revokeAll(): Promise<boolean> {
    this.#sql.exec('UPDATE direct_tokens SET revoked = 1')
    return this.tell()
  }

  /** Tells Hosts' objects what they were not told yet. A Host that is away hears of it from its object when it greets again. */
  async tell(): Promise<boolean> {
    const rows = this.#sql
      .exec<{ id: string; host_id: string }>('SELECT id, host_id FROM direct_tokens WHERE revoked = 1')
      .toArray()
    const hosts = Map.groupBy(rows, (row) => row.host_id)
    const told = await Promise.all(
      [...hosts].map(async ([hostId, tokens]) => {
        try {
          await hostStub(this.#env, hostId).revokeDirect(tokens.map(({ id }) => id))
          for (const { id } of tokens) this.#sql.exec('DELETE FROM direct_tokens WHERE id = ?', id)
          return true
        } catch (error) {
          logEvent('direct_revocation_failed', { hostId, error })
          return false
        }
      }),
    )
    return told.every(Boolean)
  }
}
