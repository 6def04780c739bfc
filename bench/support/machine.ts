import { cpus, platform, release, totalmem } from 'node:os'
import { print } from './report.ts'

/** Says on which machine and with what the tables were made. */
export function printMachine(quick: boolean, ...versions: readonly string[]): void {
  const cores = cpus()
  const facts = [
    `${cores[0]?.model.trim() ?? 'unknown CPU'}, ${cores.length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    `${platform()} ${release()}`,
    `Node ${process.versions.node}`,
    ...versions,
    new Date().toISOString().slice(0, 16).replace('T', ' ') + ' UTC',
  ]
  print(`Measured on ${facts.join('; ')}.`)
  if (quick) print('\n**`--quick`: too few samples for numbers worth keeping.**')
}
