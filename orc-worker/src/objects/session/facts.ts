// Single values that a ConsumerSession keeps, as JSON under a name.

/** A named value, or undefined. */
export function readFact<Value>(sql: SqlStorage, name: string): Value | undefined {
  const row = sql.exec<{ value: string }>('SELECT value FROM facts WHERE name = ?', name).toArray()[0]
  return row === undefined ? undefined : (JSON.parse(row.value) as Value)
}

export function saveFact(sql: SqlStorage, name: string, value: unknown): void {
  sql.exec('INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)', name, JSON.stringify(value))
}

export function deleteFact(sql: SqlStorage, name: string): void {
  sql.exec('DELETE FROM facts WHERE name = ?', name)
}
