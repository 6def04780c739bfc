// Builds everything that runs as a process or is published: `node scripts/build.ts [package ...]`.
import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { build, type BuildOptions } from 'esbuild'
import { buildSdk } from './build-sdk.ts'

const root = join(import.meta.dirname, '..')

/** Node programs: their own dependencies stay outside, packages of this repository go in. */
const node: BuildOptions = {
  absWorkingDir: root,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  packages: 'external',
  alias: {
    '@daisi/protocol': join(root, 'protocol/src/index.ts'),
    'daisi-sdk': join(root, 'sdk/src/index.ts'),
  },
  sourcemap: true,
  logLevel: 'warning',
}

/** Programs that run inside workerd: everything goes in but the runtime's own modules. */
const workerd: BuildOptions = {
  ...node,
  platform: 'neutral',
  target: 'es2024',
  packages: 'bundle',
  mainFields: ['module', 'main'],
  conditions: ['workerd', 'worker', 'browser'],
  external: ['cloudflare:*', 'node:*'],
  sourcemap: false,
  legalComments: 'none',
}

const targets: Record<string, () => Promise<unknown>> = {
  'host-agent': async () => {
    await rm(join(root, 'host-agent/dist'), { recursive: true, force: true })
    await build({
      ...node,
      // Commands load what they need when they run: `status` needs no engine.
      splitting: true,
      entryPoints: {
        cli: 'host-agent/src/cli.ts',
        'engine-process': 'host-agent/src/engine/llama/engine-process.ts',
        'inspect-process': 'host-agent/src/engine/llama/inspect-process.ts',
        'grammar-trial-process': 'host-agent/src/engine/llama/grammar-trial-process.ts',
      },
      outdir: 'host-agent/dist',
    })
  },
  'orc-local': async () => {
    await rm(join(root, 'orc-local/dist'), { recursive: true, force: true })
    await Promise.all([
      build({
        ...node,
        entryPoints: {
          index: 'orc-local/src/index.ts',
          cli: 'orc-local/src/cli.ts',
          demo: 'orc-local/src/demo/demo.ts',
        },
        outdir: 'orc-local/dist',
      }),
      build({
        ...workerd,
        entryPoints: { orc: 'orc-worker/src/index.ts', 'd1-store': 'orc-local/src/workerd/d1-store.ts' },
        outdir: 'orc-local/dist/workerd',
      }),
      cp(join(root, 'migrations'), join(root, 'orc-local/dist/migrations'), { recursive: true }),
    ])
  },
  sdk: buildSdk,
}

const chosen = process.argv.slice(2)
const unknown = chosen.filter((name) => !(name in targets))
if (unknown.length > 0) {
  process.stderr.write(
    `unknown package ${unknown.join(', ')}; choose from ${Object.keys(targets).join(', ')}\n`,
  )
  process.exit(2)
}
const selected = Object.keys(targets).filter((name) => chosen.length === 0 || chosen.includes(name))
await Promise.all(selected.map((name) => targets[name]?.() ?? Promise.resolve()))
