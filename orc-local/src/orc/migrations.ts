import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Migration } from '../migration.ts'

/** Triggers hold semicolons, so only drizzle-kit's own marker separates statements. */
const BREAKPOINT = '--> statement-breakpoint'

/** Splits the text of a migration file. */
function splitStatements(text: string): string[] {
  return text
    .split(BREAKPOINT)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '')
}

/** The migrations of a folder, in the order in which they apply. */
export async function readMigrations(folder: string): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).toSorted()
  return Promise.all(
    names.map(async (name) => ({
      name,
      statements: splitStatements(await readFile(join(folder, name), 'utf8')),
    })),
  )
}
