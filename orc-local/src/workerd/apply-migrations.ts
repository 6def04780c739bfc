import type { Migration, MigrationOutcome } from '../migration.ts'

/** wrangler's own bookkeeping, so that a database may move between here and `wrangler d1`. */
const CREATE_TABLE = `CREATE TABLE IF NOT EXISTS d1_migrations(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)`

/** Applies what is new, each migration whole or not at all. Changes nothing if the database is ahead of the list. */
export function applyMigrations(
  storage: DurableObjectStorage,
  migrations: readonly Migration[],
): MigrationOutcome {
  storage.sql.exec(CREATE_TABLE)
  const done = storage.sql
    .exec<{ name: string }>('SELECT name FROM d1_migrations ORDER BY id')
    .toArray()
    .map((row) => row.name)
  const known = new Set(migrations.map((migration) => migration.name))
  const unknown = done.filter((name) => !known.has(name))
  if (unknown.length > 0)
    return { ok: false, code: 'state_newer', names: unknown, message: 'unknown migrations' }
  const applied: string[] = []
  for (const { name, statements } of migrations.filter((migration) => !done.includes(migration.name))) {
    try {
      storage.transactionSync(() => {
        for (const statement of statements) storage.sql.exec(statement)
        storage.sql.exec('INSERT INTO d1_migrations (name) VALUES (?)', name)
      })
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      return { ok: false, code: 'migration_failed', names: [name], message }
    }
    applied.push(name)
  }
  return { ok: true, applied }
}
