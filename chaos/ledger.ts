// `npm run chaos:ledger -- --seed 7 --kills 100`: a real Orc under load is killed again and again; then the book is compared
// with what clients and Hosts saw. Exit code 1 if anything is off.
import { parseArgs } from 'node:util'
import { fixed, print, printTable, progress, verdict } from '../bench/support/report.ts'
import { quantile } from '../bench/support/stats.ts'
import { ChaosRun } from './support/chaos-run.ts'
import { settleDown } from './support/settle-down.ts'
import { judge } from './support/verdict.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    kills: { type: 'string', default: '100' },
    'max-minutes': { type: 'string', default: '40' },
    worker: { type: 'string' },
  },
})
// The children end when this process exits.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

const options = {
  seed: Number(values.seed),
  kills: Number(values.kills),
  maxMs: Number(values['max-minutes']) * 60_000,
  progress,
  workerScript: values.worker,
}
print(`Seed ${options.seed}, ${options.kills} kills.`)
process.exitCode = await main()

async function main(): Promise<number> {
  await using run = await ChaosRun.start(options)
  await run.killAll()
  const found = run.book.faults.length
  if (found > 0) progress(`stopped after ${run.kills} kills: ${run.book.faults.join('; ')}`)
  await run.stopLoad()
  const rest = await settleDown(run, progress)
  const findings = await judge(run, rest)
  printTable(
    `chaos: ${run.kills} kills, ${run.fleet.deaths} Host deaths, ${run.book.requests} requests, seed ${options.seed}`,
    ['check', 'found', 'holds'],
    findings.map(({ check, found, holds }) => [check, found, holds ? 'yes' : '**no**']),
  )
  const downtimes = run.orc.downtimesMs
  print(
    `\nFrom kill to service: p50 ${fixed(quantile(downtimes, 0.5), 0)} ms, p99 ${fixed(quantile(downtimes, 0.99), 0)} ms.`,
  )
  print('What the Orc logged:')
  for (const [name, { count, samples }] of run.orc.events)
    print(`  ${count} × ${name}\n    ${samples[0] ?? ''}`)
  const off = findings.filter(({ holds }) => !holds)
  const short = run.kills < options.kills && found === 0
  if (short)
    print(`\nOnly ${run.kills} of ${options.kills} kills fitted into ${values['max-minutes']} minutes.`)
  print(
    off.length === 0
      ? '\n0 drift, 0 leaked holds, 0 double payments'
      : `\n${off.length} checks failed (${verdict(false)})`,
  )
  return off.length === 0 ? 0 : 1
}
