// Fails if the built SDK outgrows its budget or has swallowed zod: `node scripts/check-size.ts` after a build.
import { join } from 'node:path'
import { brotliCompressSync } from 'node:zlib'
import { build } from 'esbuild'

interface Budget {
  /** What an application imports. */
  readonly entries: readonly string[]
  /** Bytes (brotli) that using all of it adds to an application that uses the entries before it. */
  readonly limitBytes: number
}

const budgets: readonly Budget[] = [
  { entries: ['index'], limitBytes: 6_000 },
  { entries: ['index', 'direct'], limitBytes: 4_500 },
]

let before = 0
for (const { entries, limitBytes } of budgets) {
  const bundle = await bundled(entries)
  const size = brotliCompressSync(bundle).length
  const added = size - before
  before = size
  const name = ['daisi-sdk', ...entries.slice(1)].join('/')
  process.stdout.write(`${name}: ${added} bytes (brotli) of ${limitBytes}\n`)
  if (added > limitBytes) complain(`${name} is too large by ${added - limitBytes} bytes`)
  if (/\bzod\b/i.test(bundle.toString())) complain('zod is in the bundle: the SDK takes types only')
}

/** All of these entries in one minified module. */
async function bundled(entries: readonly string[]): Promise<Buffer> {
  const { outputFiles } = await build({
    absWorkingDir: join(import.meta.dirname, '..'),
    stdin: {
      contents: entries.map((entry) => `export * from './dist/${entry}.js'`).join('\n'),
      resolveDir: join(import.meta.dirname, '..'),
    },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    legalComments: 'none',
    write: false,
  })
  return Buffer.concat(outputFiles.map(({ contents }) => contents))
}

function complain(text: string): void {
  process.stderr.write(`${text}\n`)
  process.exitCode = 1
}
