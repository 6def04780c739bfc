import { fixed, print, printTable, whole } from '../../bench/support/report.ts'
import type { FuzzResult } from './run.ts'

/** Prints what was sent, how it was answered, and every kind of failure with a way to see it again. */
export function printReport({ seed, tally, growth, logs }: FuzzResult): void {
  for (const { count, examples } of tally.findings) {
    const [first] = examples
    print(`\nFAILED ${count} ×: ${first?.area}: ${first?.what}`)
    for (const { index, reproduction } of examples) {
      if (index !== undefined) print(`  --seed ${seed} --area ${first?.area} --only ${index}`)
      print(`    ${reproduction}`)
    }
  }
  print(`\n${whole(logs.lines)} lines of logs, every one looked through:`)
  for (const [kind, { count }] of [...logs.kinds].sort(([, a], [, b]) => b.count - a.count).slice(0, 25))
    print(`  ${count} × ${kind}`)
  for (const [kind, { samples }] of logs.kinds)
    if (!samples[0]?.startsWith('{')) print(`  ${kind}\n    ${samples[0]}`)
  const classes = ['1', '2', '3', '4', '5']
  const rows = [...tally.areas].map(([area, { inputs, ms, answers }]) => {
    const httpOf = (first: string): number =>
      [...answers].reduce(
        (sum, [how, count]) => sum + (new RegExp(`^${first}\\d\\d$`).test(how) ? count : 0),
        0,
      )
    const others = [...answers].filter(([how]) => !/^\d{3}$/.test(how)).sort(([a], [b]) => a.localeCompare(b))
    return [
      area,
      whole(inputs),
      ...classes.map((first) => whole(httpOf(first))),
      others.map(([how, count]) => `${how} ${count}`).join(', '),
      whole(tally.failuresIn(area)),
      `${fixed(ms / 1000, 0)} s`,
    ]
  })
  const columns = [
    'area',
    'inputs',
    ...classes.map((first) => `${first}xx`),
    'closes and others',
    'failures',
    'time',
  ]
  printTable(
    `fuzz: ${whole(tally.inputs)} inputs, seed ${seed}, ${whole(tally.failures)} failures`,
    columns,
    rows,
  )
  printTable(
    'memory',
    ['process', 'before', 'after'],
    growth.map(({ name, before, after }) => [name, `${fixed(before, 0)} MB`, `${fixed(after, 0)} MB`]),
  )
}
