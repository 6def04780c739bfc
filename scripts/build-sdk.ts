import { join } from 'node:path'
import { build } from 'tsdown'

/** Builds `daisi-sdk`: an ESM file for each entry, what they share, and declarations with the protocol's types inlined. */
export async function buildSdk(): Promise<void> {
  const cwd = join(import.meta.dirname, '../sdk')
  await build({
    cwd,
    config: false,
    entry: ['src/index.ts', 'src/direct.ts', 'src/node.ts', 'src/ai.ts'],
    // The entry for Node alone may import Node's modules, and the one for the AI SDK its types.
    deps: { neverBundle: [/^node:/, '@ai-sdk/provider'] },
    hash: false,
    format: 'esm',
    platform: 'neutral',
    outDir: 'dist',
    dts: { generator: 'oxc' },
    logLevel: 'warn',
  })
}
