import { existsSync } from 'node:fs'
import { access } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { messageOf, OrcError } from '../errors.ts'

// A CommonJS package without types; `require` gives the same shape in Node and in the test runner.
const require = createRequire(import.meta.url)

/** The built files that an Orc runs on. */
export interface Artefacts {
  readonly workerScript: string
  readonly databaseScript: string
  readonly migrationsDir: string
}

/** This package's folder, from `dist/` (bundled) as from `src/orc/` (tests). */
const packageDir =
  basename(import.meta.dirname) === 'dist' ? dirname(import.meta.dirname) : join(import.meta.dirname, '../..')

/** The published package has its own copy; in a checkout the repository's folder serves. */
const packagedMigrations = join(packageDir, 'dist/migrations')

/** Where the build puts them. */
export const builtArtefacts: Artefacts = {
  workerScript: join(packageDir, 'dist/workerd/orc.js'),
  databaseScript: join(packageDir, 'dist/workerd/d1-store.js'),
  migrationsDir: existsSync(packagedMigrations) ? packagedMigrations : join(packageDir, '../migrations'),
}

/** Refuses to go on without them, because workerd's own message would not say how to get them. */
export async function requireArtefacts(artefacts: Artefacts): Promise<void> {
  for (const path of Object.values(artefacts)) {
    try {
      await access(path)
    } catch (cause) {
      throw new OrcError(
        'not_built',
        `${path} is missing. Run \`npm run build\` (or install daisi-orc again).`,
        { cause },
      )
    }
  }
}

/** The workerd binary of this platform. Its package throws on import where there is none. */
export async function workerdBinary(): Promise<string> {
  try {
    const workerd: { readonly default: string } = require('workerd')
    await access(workerd.default)
    return workerd.default
  } catch (cause) {
    throw new OrcError(
      'runtime_missing',
      `workerd, which runs the Orc, is not installed for ${process.platform}-${process.arch}. ` +
        'It exists for Linux (glibc), macOS and Windows on x64 and arm64. ' +
        `Install without \`--omit=optional\` and try again. (${messageOf(cause).trim().split('\n')[0]})`,
      { cause },
    )
  }
}
