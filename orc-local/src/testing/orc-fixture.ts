import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { test as base } from 'vitest'
import { requestOrc } from '../pinned-https.ts'
import { startOrc, type OrcOptions, type RunningOrc } from '../orc/start-orc.ts'

/** What a test of a running Orc gets: an empty folder, and a way to start the stand-in Worker in it. */
export interface OrcFixture {
  /** A folder of this test alone, removed after it. */
  readonly dir: string
  /** Starts an Orc on a free port in `dir/state`; it is killed after the test. */
  readonly start: (options?: Partial<OrcOptions>) => Promise<RunningOrc>
  /** The options that `start` uses. */
  readonly options: OrcOptions
}

export const test = base.extend<OrcFixture>({
  // oxlint-disable-next-line no-empty-pattern -- Vitest reads a fixture's dependencies from this pattern
  dir: async ({}, use) => {
    const dir = await mkdtemp(join(tmpdir(), 'daisi-orc-'))
    await use(dir)
    await rm(dir, { recursive: true, force: true })
  },
  options: async ({ dir }, use) => {
    const databaseScript = join(dir, 'd1-store.js')
    await build({
      entryPoints: [join(import.meta.dirname, '../workerd/d1-store.ts')],
      outfile: databaseScript,
      bundle: true,
      format: 'esm',
      target: 'es2024',
      external: ['cloudflare:*'],
      logLevel: 'silent',
    })
    const migrationsDir = join(dir, 'migrations')
    await writeMigrations(migrationsDir, { '0000_first.sql': FIRST_MIGRATION })
    await use({
      stateDir: join(dir, 'state'),
      port: 0,
      workerScript: join(import.meta.dirname, 'stand-in-worker.js'),
      databaseScript,
      migrationsDir,
    })
  },
  start: async ({ options }, use) => {
    const started: RunningOrc[] = []
    await use(async (overrides = {}) => {
      const orc = await startOrc({ ...options, ...overrides })
      started.push(orc)
      return orc
    })
    await Promise.all(started.map((orc) => orc.kill()))
  },
})

/** A table with a CHECK, and a trigger that has semicolons inside. */
const FIRST_MIGRATION = `CREATE TABLE books (id TEXT PRIMARY KEY, balance INTEGER NOT NULL,
  CONSTRAINT no_overdraft CHECK (balance >= 0)) STRICT;
--> statement-breakpoint
CREATE TABLE transfers (id TEXT PRIMARY KEY, debit TEXT NOT NULL, credit TEXT NOT NULL, amount INTEGER NOT NULL);
--> statement-breakpoint
CREATE TRIGGER transfers_post AFTER INSERT ON transfers
BEGIN
  UPDATE books SET balance = balance - NEW.amount WHERE id = NEW.debit;
  UPDATE books SET balance = balance + NEW.amount WHERE id = NEW.credit;
END;
--> statement-breakpoint
INSERT INTO books VALUES ('ada', 10), ('bob', 0);
`

/** Writes migration files. */
export async function writeMigrations(
  folder: string,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  await mkdir(folder, { recursive: true })
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(folder, name), text)))
}

/** Asks the stand-in Worker. */
export async function call(orc: CalledOrc, path: string, body?: unknown): Promise<unknown> {
  const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
  const response = await requestOrc(new URL(path, orc.url), init, orc.certificate?.pin)
  return response.json()
}

/** Where an Orc is. */
interface CalledOrc {
  readonly url: string
  readonly certificate?: { readonly pin: string } | undefined
}
