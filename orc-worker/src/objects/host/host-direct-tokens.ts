/** What the Orc knows of a Session token that it gave out for Direct Connections to this Host. */
export interface HostDirectToken {
  /** `jti` of the token, under which its Session holds credits. */
  readonly tokenId: string
  /** Name of the ConsumerSession that pays. */
  readonly sessionName: string
  readonly network: string
  readonly model: string
  /** The file that the Host announced under the model's id, if it did. */
  readonly modelSha256: string | undefined
  /** Milliseconds since the epoch after which no report counts any more. */
  readonly reportsUntil: number
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS direct_grants (
    id TEXT PRIMARY KEY, grant TEXT NOT NULL, until INTEGER NOT NULL, revoked INTEGER NOT NULL DEFAULT 0
  ) STRICT, WITHOUT ROWID`

/** The tokens of one Host's Direct Connections. */
export class HostDirectTokens {
  readonly #sql: SqlStorage
  constructor(sql: SqlStorage) {
    this.#sql = sql
    sql.exec(SCHEMA)
  }

  add(token: HostDirectToken, now: number): void {
    this.#sql.exec('DELETE FROM direct_grants WHERE until <= ?', now)
    this.#sql.exec(
      'INSERT OR REPLACE INTO direct_grants (id, grant, until) VALUES (?, ?, ?)',
      token.tokenId,
      JSON.stringify(token),
      token.reportsUntil,
    )
  }
  find(tokenId: string, now: number): HostDirectToken | undefined {
    const [row] = this.#sql
      .exec<{ grant: string }>('SELECT grant FROM direct_grants WHERE id = ? AND until > ?', tokenId, now)
      .toArray()
    return row === undefined ? undefined : (JSON.parse(row.grant) as HostDirectToken)
  }
  /** Tokens that are good still, for Networks other than these. */
  elsewhere(networks: readonly string[], now: number): string[] {
    const tokens = this.#sql.exec<{ id: string }>(
      `SELECT id FROM direct_grants WHERE revoked = 0 AND until > ?
         AND json_extract(grant, '$.network') NOT IN (SELECT value FROM json_each(?))`,
      now,
      JSON.stringify(networks),
    )
    return tokens.toArray().map(({ id }) => id)
  }
  /** Work done under them is still paid; nothing more is begun. */
  revoke(tokenIds: readonly string[]): void {
    for (const id of tokenIds) this.#sql.exec('UPDATE direct_grants SET revoked = 1 WHERE id = ?', id)
  }
  /** Revoked tokens that a Host which was away may still take for good. */
  revoked(now: number): string[] {
    return this.#sql
      .exec<{ id: string }>('SELECT id FROM direct_grants WHERE revoked = 1 AND until > ?', now)
      .toArray()
      .map((row) => row.id)
  }
}
