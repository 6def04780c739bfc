/** One migration file of drizzle-kit. */
export interface Migration {
  /** The file's name: what `d1_migrations` remembers, as wrangler does. */
  readonly name: string
  readonly statements: readonly string[]
}

/** What became of the migrations: said by the database object, read by the launcher. */
export type MigrationOutcome =
  | { readonly ok: true; readonly applied: readonly string[] }
  | {
      readonly ok: false
      readonly code: 'state_newer' | 'migration_failed'
      /** The migrations at fault. */
      readonly names: readonly string[]
      readonly message: string
    }
