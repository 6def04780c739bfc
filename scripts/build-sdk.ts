import { join } from 'node:path'
import { build } from 'tsdown'

/** Builds `daisi-sdk`: an ESM file for each entry, what they share, and declarations with the protocol's types inlined. */
export async function buildSdk(): Promise<void> {
  const cwd = join(import.meta.dirname, '../sdk')
  await build({
    cwd,
    config: false,
    entry: ['src/index.ts', 'src/direct.ts', 'src/node.ts'],
    // The entry for Node alone may import these.
    deps: { neverBundle: [/^node:/] },
    hash: false,
    format: 'esm',
    platform: 'neutral',
    outDir: 'dist',
    dts: { generator: 'oxc' },
    logLevel: 'warn',
  })
}
