import { DurableObject, WorkerEntrypoint } from 'cloudflare:workers'
import type { Migration, MigrationOutcome } from '../migration.ts'
import { applyMigrations } from './apply-migrations.ts'
import { type Query, type ResultsFormat, runQueries } from './query.ts'

interface StoreEnv {
  readonly STORE: DurableObjectNamespace<D1Store>
  readonly MIGRATIONS: readonly Migration[]
}

/** Rows written by the whole process: the object itself is made anew whenever it was idle for a while. */
let rowsWritten = 0

/** One SQLite database that answers as D1 does. Its constructor migrates, so no statement runs before. */
export class D1Store extends DurableObject<StoreEnv> {
  readonly #migrated: MigrationOutcome = applyMigrations(this.ctx.storage, this.env.MIGRATIONS)

  /** What became of the migrations. */
  migrated(): MigrationOutcome {
    return this.#migrated
  }

  /** Rows that statements have written since this process started, counted as D1 counts them. */
  rowsWritten(): number {
    return rowsWritten
  }

  /** `POST /query` and `/execute`: one statement, or several as one transaction. */
  override async fetch(request: Request): Promise<Response> {
    const body = await request.json<Query | readonly Query[]>()
    if (!this.#migrated.ok) return failure(`the database is not migrated (${this.#migrated.code})`)
    const format = readFormat(new URL(request.url).searchParams.get('resultsFormat'))
    const queries = 'sql' in body ? [body] : body
    try {
      const results = this.ctx.storage.transactionSync(() =>
        runQueries(this.ctx.storage.sql, queries, format),
      )
      for (const { meta } of results) rowsWritten += Number(meta['rows_written'])
      return Response.json(results)
    } catch (error) {
      return failure(error instanceof Error ? error.message : String(error))
    }
  }
}

/** What workerd's D1 binding calls. */
export default class Database extends WorkerEntrypoint<StoreEnv> {
  override fetch(request: Request): Promise<Response> {
    return this.env.STORE.getByName('main').fetch(request)
  }
}

/**
 * What the launcher asks: before it lets anyone know the address, what became of the migrations, and at any time how many
 * rows were written. It can read no data.
 */
export class Control extends WorkerEntrypoint<StoreEnv> {
  override async fetch(request: Request): Promise<Response> {
    const store = this.env.STORE.getByName('main')
    const { pathname } = new URL(request.url)
    return Response.json(await (pathname === '/rows-written' ? store.rowsWritten() : store.migrated()))
  }
}

/** D1 answers errors with status 200; the binding turns the text into the exception's `cause`. */
function failure(error: string): Response {
  return Response.json({ success: false, error })
}

function readFormat(text: string | null): ResultsFormat {
  return text === 'ROWS_AND_COLUMNS' || text === 'NONE' ? text : 'ARRAY_OF_OBJECTS'
}
