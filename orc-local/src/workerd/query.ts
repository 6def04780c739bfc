/** One statement as workerd's D1 binding sends it. A BLOB is an array of bytes. */
export interface Query {
  readonly sql: string
  readonly params?: readonly (string | number | null | readonly number[])[] | null
}

/** How the binding wants the rows. */
export type ResultsFormat = 'ARRAY_OF_OBJECTS' | 'ROWS_AND_COLUMNS' | 'NONE'

type Cell = string | number | null | readonly number[]

/** The answer to one statement, in D1's shape. */
export interface QueryResult {
  readonly success: true
  readonly results:
    | readonly unknown[]
    | { readonly columns: readonly string[]; readonly rows: readonly (readonly Cell[])[] }
  readonly meta: Readonly<Record<string, string | number | boolean>>
}

/** Runs statements inside the caller's transaction. Throws what SQLite says. */
export function runQueries(sql: SqlStorage, queries: readonly Query[], format: ResultsFormat): QueryResult[] {
  let before = counters(sql)
  return queries.map((query) => {
    const startedAt = performance.now()
    const cursor = sql.exec(query.sql, ...(query.params ?? []).map(toSqlite))
    const columns = cursor.columnNames
    const rows = [...cursor.raw()].map((row) => row.map(toJson))
    const after = counters(sql)
    const changes = after.changes - before.changes
    before = after
    return {
      success: true,
      results: shape(columns, rows, format),
      meta: {
        served_by: 'daisi-orc',
        duration: performance.now() - startedAt,
        changes,
        last_row_id: after.lastRowId,
        changed_db: changes > 0 || cursor.rowsWritten > 0,
        size_after: sql.databaseSize,
        rows_read: cursor.rowsRead,
        rows_written: cursor.rowsWritten,
      },
    }
  })
}

function counters(sql: SqlStorage): { readonly changes: number; readonly lastRowId: number } {
  const row = sql.exec('SELECT total_changes() AS changes, last_insert_rowid() AS lastRowId').one()
  return { changes: Number(row['changes']), lastRowId: Number(row['lastRowId']) }
}

function toSqlite(value: string | number | null | readonly number[]): SqlStorageValue {
  return typeof value === 'object' && value !== null ? new Uint8Array(value).buffer : value
}

function toJson(value: SqlStorageValue): Cell {
  return value instanceof ArrayBuffer ? [...new Uint8Array(value)] : value
}

function shape(
  columns: readonly string[],
  rows: readonly (readonly Cell[])[],
  format: ResultsFormat,
): QueryResult['results'] {
  if (format === 'ROWS_AND_COLUMNS') return { columns, rows }
  if (format === 'NONE') return []
  return rows.map((row) => Object.fromEntries(columns.map((name, index) => [name, row[index]])))
}
