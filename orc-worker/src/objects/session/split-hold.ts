import { owedFor } from '../../domain/money/lease.ts'

/**
 * A Job of a Direct Connection takes its part of what is held for its Session token, as if it had been begun on its own. Nothing
 * happens where the token is not held for any more, or the Job is known.
 */
export function splitHold(
  sql: SqlStorage,
  { tokenId, jobId, credits }: { readonly tokenId: string; readonly jobId: string; readonly credits: number },
): void {
  const [token] = sql
    .exec<{ hold: number; recalled: number; expires_at: number }>(
      `SELECT hold, recalled, expires_at FROM jobs
       WHERE id = ? AND state = 'open' AND NOT EXISTS (SELECT 1 FROM jobs WHERE id = ?)`,
      tokenId,
      jobId,
    )
    .toArray()
  if (token === undefined) return
  const part = owedFor(token.hold, credits)
  sql.exec('UPDATE jobs SET hold = hold - ? WHERE id = ?', part, tokenId)
  sql.exec(
    `INSERT INTO jobs (id, state, hold, expires_at, recalled) VALUES (?, 'open', ?, ?, ?)`,
    jobId,
    part,
    token.expires_at,
    token.recalled,
  )
}
