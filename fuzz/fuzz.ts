// `npm run fuzz -- --seed 7 --count 100000`: what nobody ought to send, to a real Orc and a real Host. Exit code 1 if anything gives way.
import { parseArgs } from 'node:util'
import { print, progress } from '../bench/support/report.ts'
import { AREAS, type Area, runFuzz } from './support/run.ts'
import { printReport } from './support/report.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    count: { type: 'string', default: '100000' },
    area: { type: 'string', default: 'all' },
    only: { type: 'string' },
  },
})
// The children end when this process exits.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

const areas = values.area === 'all' ? AREAS : AREAS.filter((area) => area === values.area)
const seed = Number(values.seed)
const only = values.only === undefined ? undefined : Number(values.only)
if (areas.length === 0 || (only !== undefined && areas.length > 1)) {
  print(`--area takes ${AREAS.join(', ')} or all; --only needs one of them.`)
  process.exit(2)
}
print(
  `Seed ${seed}, ${only === undefined ? `${values.count} inputs` : `only input ${only}`}, area ${values.area}.`,
)
const result = await runFuzz({
  seed,
  count: Number(values.count),
  areas: areas as readonly Area[],
  only,
  progress,
})
printReport(result)
process.exitCode = result.tally.failures === 0 ? 0 : 1
