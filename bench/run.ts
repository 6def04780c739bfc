import { createRequire } from 'node:module'
import { parseArgs } from 'node:util'
import { benchAuthTime } from './auth-time.ts'
import { benchCredits } from './credits.ts'
import { benchGateways } from './gateways.ts'
import { benchGeneration } from './generation.ts'
import { benchLoginTime } from './login-time.ts'
import { benchMappers } from './mappers.ts'
import { benchRelay } from './relay.ts'
import { printMachine } from './support/machine.ts'
import type { BenchOptions } from './support/network.ts'
import { print, progress } from './support/report.ts'
import { benchTtft } from './ttft.ts'

const benches: Readonly<Record<string, (options: BenchOptions) => Promise<void>>> = {
  ttft: benchTtft,
  generation: benchGeneration,
  relay: benchRelay,
  'auth-time': benchAuthTime,
  'login-time': benchLoginTime,
  credits: benchCredits,
  mappers: benchMappers,
  gateways: benchGateways,
}

const { values, positionals } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, worker: { type: 'string' } },
  allowPositionals: true,
})
const unknown = positionals.filter((name) => !(name in benches))
if (unknown.length > 0) {
  process.stderr.write(
    `unknown benchmark ${unknown.join(', ')}; choose from ${Object.keys(benches).join(', ')}\n`,
  )
  process.exit(2)
}
// The children are ended when this process exits.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

const options = { quick: values.quick, workerScript: values.worker }
const { version }: { version: string } = createRequire(new URL('../orc-local/package.json', import.meta.url))(
  'workerd/package.json',
)
printMachine(options.quick, `workerd ${version}`)
if (options.workerScript !== undefined) print(`\nWorker: \`${options.workerScript}\`.`)
const startedAt = performance.now()
for (const [name, bench] of Object.entries(benches)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue
  progress(name)
  await bench(options)
}
progress(`done in ${Math.round((performance.now() - startedAt) / 1000)} s`)
