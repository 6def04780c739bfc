import { messageOf, OrcError } from '../errors.ts'
import type { MigrationOutcome } from '../migration.ts'
import { requestOrc } from '../pinned-https.ts'

/** Makes the database apply its migrations, and refuses an Orc whose database could not. */
export async function requireMigrated(controlPort: number): Promise<void> {
  const response = await get(`http://127.0.0.1:${controlPort}/`)
  const outcome: MigrationOutcome = await response.json().catch((cause: unknown) => {
    throw new OrcError('start_failed', `The database did not start (HTTP ${response.status}).`, { cause })
  })
  if (outcome.ok) return
  if (outcome.code === 'state_newer') {
    throw new OrcError(
      'state_newer',
      `This database was used by a newer Orc: it has ${outcome.names.join(', ')}, which this version does not know. ` +
        'Run that version or a later one, or restore the backup made before the update.',
    )
  }
  throw new OrcError(
    'migration_failed',
    `The migration ${outcome.names.join(', ')} failed and was undone; nothing changed. ${outcome.message}`,
  )
}

/** Rows that the database has written since it started. */
export async function readRowsWritten(controlPort: number): Promise<number> {
  return Number(await (await get(`http://127.0.0.1:${controlPort}/rows-written`)).json())
}

/** The Orc's own word that it serves, under the certificate with this pin. */
export async function requireHealthy(url: string, pin?: string): Promise<void> {
  const response = await get(`${url}/health`, pin)
  if (!response.ok)
    throw new OrcError('start_failed', `The Orc started, but GET /health answered ${response.status}.`)
  await response.body?.cancel()
}

async function get(url: string, pin?: string): Promise<Response> {
  try {
    return await requestOrc(new URL(url), {}, pin)
  } catch (cause) {
    throw new OrcError(
      'start_failed',
      `The Orc started, but does not answer at ${url} (${messageOf(cause)}).`,
      { cause },
    )
  }
}
