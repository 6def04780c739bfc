import { join } from 'node:path'
import { build } from 'tsdown'

/** Builds `daisi-sdk`: one ESM file and its declarations, with the protocol's types inlined. */
export async function buildSdk(): Promise<void> {
  const cwd = join(import.meta.dirname, '../sdk')
  await build({
    cwd,
    config: false,
    entry: ['src/index.ts'],
    format: 'esm',
    platform: 'neutral',
    outDir: 'dist',
    dts: { generator: 'oxc' },
    logLevel: 'warn',
  })
}
