import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Plugin, build } from 'esbuild'

const root = join(import.meta.dirname, '../..')

/** A program for workerd. */
export type Program = 'orc-worker/src/index.ts' | 'orc-local/src/workerd/d1-store.ts'

/** One place in the source, and what stands there in the variant. */
export interface Replacement {
  /** Path below the repository's root. */
  readonly file: string
  /** Must stand in the file exactly once. */
  readonly original: string
  readonly variant: string
}

/**
 * Builds a program of the Orc with some lines replaced, so that two policies can be compared in one run. Throws where a
 * replacement does not fit the source any more: a variant that quietly became the original would measure nothing.
 */
export async function buildVariant(
  program: Program,
  outfile: string,
  replacements: readonly Replacement[],
): Promise<void> {
  const used = new Set<Replacement>()
  await build({
    absWorkingDir: root,
    entryPoints: [program],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    target: 'es2024',
    mainFields: ['module', 'main'],
    conditions: ['workerd', 'worker', 'browser'],
    external: ['cloudflare:*', 'node:*'],
    alias: { '@daisi/protocol': join(root, 'protocol/src/index.ts') },
    plugins: [replacing(replacements, used)],
    logLevel: 'warning',
  })
  const unused = replacements.filter((replacement) => !used.has(replacement))
  if (unused.length > 0)
    throw new Error(`not part of ${program}: ${unused.map(({ file }) => file).join(', ')}`)
}

function replacing(replacements: readonly Replacement[], used: Set<Replacement>): Plugin {
  return {
    name: 'replace',
    setup: (builder) => {
      builder.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        const here = replacements.filter(({ file }) => path === join(root, file))
        if (here.length === 0) return undefined
        let contents = await readFile(path, 'utf8')
        for (const replacement of here) {
          contents = replaceOnce(contents, replacement)
          used.add(replacement)
        }
        return { contents, loader: 'ts' }
      })
    },
  }
}

function replaceOnce(text: string, { file, original, variant }: Replacement): string {
  const [before, after, ...more] = text.split(original)
  if (before === undefined || after === undefined || more.length > 0) {
    throw new Error(`${file} does not have exactly one place that reads: ${original}`)
  }
  return before + variant + after
}
