// Fails if the built SDK outgrows its budget or has swallowed zod: `node scripts/check-size.ts` after a build.
import { join } from 'node:path'
import { brotliCompressSync } from 'node:zlib'
import { build } from 'esbuild'

/** What an application imports beside what is in the core. */
interface Budget {
  readonly name: string
  readonly imports: string
  /** Bytes (brotli) that it adds. */
  readonly limitBytes: number
}

const CORE: Budget = {
  name: 'chat',
  imports: "export { cachedToken, Daisi, DaisiError } from './dist/index.js'",
  limitBytes: 6_000,
}

const more: readonly Budget[] = [
  ...(
    [
      ['Completions', 600],
      ['embed', 450],
      ['generateImages', 250],
      ['Responses, outputText', 700],
      ['balance, quote', 250],
      ['runTools, tool', 1_200],
      ['parseChat', 750],
    ] as const
  ).map(([names, limitBytes]) => ({
    name: names,
    imports: `export { ${names} } from './dist/index.js'`,
    limitBytes,
  })),
  { name: 'daisi-sdk/direct', imports: "export * from './dist/direct.js'", limitBytes: 4_900 },
  { name: 'daisi-sdk/ai', imports: "export * from './dist/ai.js'", limitBytes: 3_000 },
]

const core = await sizeOf([CORE])
report(CORE, core)
for (const budget of more) report(budget, (await sizeOf([CORE, budget])) - core)

function report({ name, limitBytes }: Budget, size: number): void {
  process.stdout.write(`${name}: ${size} bytes (brotli) of ${limitBytes}\n`)
  if (size > limitBytes) complain(`${name} is too large by ${size - limitBytes} bytes`)
}

/** Bytes (brotli) of a minified module with all of these. */
async function sizeOf(budgets: readonly Budget[]): Promise<number> {
  const { outputFiles } = await build({
    absWorkingDir: join(import.meta.dirname, '..'),
    stdin: {
      contents: budgets.map(({ imports }) => imports).join('\n'),
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
  const bundle = Buffer.concat(outputFiles.map(({ contents }) => contents))
  if (/\bzod\b/i.test(bundle.toString())) complain('zod is in the bundle: the SDK takes types only')
  return brotliCompressSync(bundle).length
}

function complain(text: string): void {
  process.stderr.write(`${text}\n`)
  process.exitCode = 1
}
