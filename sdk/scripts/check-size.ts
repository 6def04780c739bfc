// Fails if the built SDK outgrows its budget or has swallowed zod: `node scripts/check-size.ts` after a build.
import { join } from 'node:path'
import { brotliCompressSync } from 'node:zlib'
import { build } from 'esbuild'

/** The whole package, as an application that uses all of it would ship it. */
const LIMIT_BYTES = 6_000

const { outputFiles } = await build({
  absWorkingDir: join(import.meta.dirname, '..'),
  entryPoints: ['dist/index.js'],
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'neutral',
  target: 'es2022',
  legalComments: 'none',
  write: false,
})
const code = outputFiles.map(({ contents }) => Buffer.from(contents))
const bundle = Buffer.concat(code)
const size = brotliCompressSync(bundle).length
process.stdout.write(`daisi-sdk: ${size} bytes (brotli) of ${LIMIT_BYTES}, ${bundle.length} minified\n`)

const complaints = [
  ...(size > LIMIT_BYTES ? [`too large by ${size - LIMIT_BYTES} bytes`] : []),
  ...(/\bzod\b/i.test(bundle.toString())
    ? ['zod is in the bundle: the SDK takes types only from the protocol']
    : []),
]
for (const complaint of complaints) process.stderr.write(`${complaint}\n`)
process.exitCode = complaints.length > 0 ? 1 : 0
