// Recomputes the book of an exported database: `npm run audit:export -- book.sql`. Ends with 0 if it is clean, with 1 if it
// is not, and with 2 if there is nothing to audit.
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { AUDIT_SQL } from '../orc-worker/src/db/audit-sql.ts'
import { sqlStatements } from './sql-statements.ts'

const HOW_TO_EXPORT = 'Export the whole database: npx wrangler d1 export DB --remote --output book.sql'

/** Numbers of the report that are 0 in a clean book. */
const FAULTS = ['sum', 'drifted', 'overdrawn', 'misplaced', 'unexplained']

/** Why there is nothing to audit, and what to do. */
class BadInputError extends Error {}

try {
  const report = audit(await load(process.argv[2]))
  const width = Math.max(...Object.keys(report).map((name) => name.length))
  for (const [name, count] of Object.entries(report)) {
    process.stdout.write(`${name.padEnd(width)}  ${count}\n`)
  }
  const faults = FAULTS.filter((name) => report[name] !== 0)
  process.stdout.write(faults.length === 0 ? '\nclean\n' : `\nNOT CLEAN: ${faults.join(', ')}\n`)
  process.exitCode = faults.length === 0 ? 0 : 1
} catch (error) {
  if (!(error instanceof BadInputError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 2
}

/** Loads the tables of an export into memory. */
async function load(file: string | undefined): Promise<DatabaseSync> {
  if (file === undefined) throw new BadInputError(`usage: npm run audit:export -- book.sql\n${HOW_TO_EXPORT}`)
  // Rows are taken as they are: what is wrong with them is for the audit to say.
  const database = new DatabaseSync(':memory:', { enableForeignKeyConstraints: false })
  database.exec('PRAGMA ignore_check_constraints = ON; BEGIN')
  try {
    const lines = createInterface({ input: createReadStream(file), crlfDelay: Infinity })
    for await (const { text, words } of sqlStatements(lines)) {
      if (holdsData(words)) database.exec(text)
    }
  } catch (error) {
    throw new BadInputError(`${file} cannot be read: ${messageOf(error)}\n${HOW_TO_EXPORT}`)
  }
  database.exec('COMMIT')
  return database
}

// Triggers would move balances a second time as the transfers come in, and nothing else in an export holds anything.
function holdsData([first = '', second = '']: readonly string[]): boolean {
  return first === 'INSERT' || (first === 'CREATE' && ['TABLE', 'UNIQUE', 'INDEX'].includes(second))
}

function audit(database: DatabaseSync): Readonly<Record<string, number>> {
  const row = ask(database)
  const report = Object.fromEntries(Object.entries(row).map(([name, count]) => [name, Number(count)]))
  if (report['accounts'] === 0) {
    throw new BadInputError(`There is no book in this export: it has tables but no rows.\n${HOW_TO_EXPORT}`)
  }
  return report
}

function ask(database: DatabaseSync): Record<string, unknown> {
  try {
    const statement = database.prepare(AUDIT_SQL)
    // A balance that was tampered with may be larger than a number can tell.
    statement.setReadBigInts(true)
    return statement.get() ?? {}
  } catch (error) {
    const reason = `This is not the export of an Orc's database: ${messageOf(error)}.`
    const older = 'If it is one of an older Orc, apply the migrations before you export.'
    throw new BadInputError(`${reason}\n${older}\n${HOW_TO_EXPORT}`)
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
