import { createRequire } from 'node:module'
import { parseArgs } from 'node:util'
import { boundary } from './support/host/boundary.ts'
import { followUp } from './support/host/follow-up.ts'
import { startAndRest } from './support/host/start.ts'
import { eightStreams, oneStream } from './support/host/streams.ts'
import { printMachine } from './support/machine.ts'
import { progress } from './support/report.ts'

/** What the Host costs beside the library that it runs on, without an Orc's share. */
const tables: Readonly<Record<string, (quick: boolean) => Promise<void>>> = {
  one: oneStream,
  eight: eightStreams,
  'follow-up': followUp,
  boundary,
  start: startAndRest,
}

const { values, positionals } = parseArgs({
  options: { quick: { type: 'boolean', default: false } },
  allowPositionals: true,
})
const unknown = positionals.filter((name) => !(name in tables))
if (unknown.length > 0) {
  process.stderr.write(`unknown table ${unknown.join(', ')}; choose from ${Object.keys(tables).join(', ')}\n`)
  process.exit(2)
}
// The children are ended when this process exits.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

const { devDependencies }: { devDependencies: Record<string, string> } = createRequire(import.meta.url)(
  './package.json',
)
printMachine(values.quick, `node-llama-cpp ${devDependencies['node-llama-cpp']}`)
const startedAt = performance.now()
for (const [name, table] of Object.entries(tables)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue
  progress(name)
  await table(values.quick)
}
progress(`done in ${Math.round((performance.now() - startedAt) / 1000)} s`)
