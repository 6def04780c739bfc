import { rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FakeOrc } from '../../../host-agent/src/testing/fake-orc.ts'
import { cpuSeconds, descendants, rssMegabytes } from '../proc.ts'
import { fixed, printNote, printTable, progress, verdict } from '../report.ts'
import { median } from '../stats.ts'
import { Lab } from './lab.ts'
import { LabHost } from './lab-host.ts'
import { type BenchModel, benchModels } from './models.ts'

const CONTEXT = 1_024
const MOST_IDLE_PERCENT = 0.5
/** What starting leaves behind is over by then. */
const SETTLE_MS = 3_000

interface Bounds {
  readonly starts: number
  readonly idleMs: number
}

interface Measured {
  readonly model: string
  readonly fileMegabytes: number
  readonly hashedMs: readonly number[]
  readonly knownMs: readonly number[]
  readonly aloneMs: readonly number[]
  readonly aloneMegabytes: number
  readonly agentMegabytes: number
  readonly engineMegabytes: number
  readonly agentIdlePercent: number
  readonly engineIdlePercent: number
}

/** How long a Host takes to come online, and what it takes of the machine while it waits for work. */
export async function startAndRest(quick: boolean): Promise<void> {
  const bounds = quick ? { starts: 1, idleMs: 4_000 } : { starts: 5, idleMs: 20_000 }
  const { nano, large } = await benchModels()
  const measured = [await measure(nano, bounds), await measure(large, bounds)]
  printStarts(measured)
  printRest(measured, bounds)
}

async function measure(model: BenchModel, { starts, idleMs }: Bounds): Promise<Measured> {
  await using lab = await Lab.open()
  const orc = await lab.orc()
  const stateFolder = lab.folder()
  const open = (): Promise<LabHost> =>
    LabHost.start(orc, { modelPath: model.path, stateFolder, slots: 1, contextLength: CONTEXT })
  // The first one enrols and brings the file into memory; it is not counted.
  await stopped(await open())

  const times = { hashed: [] as number[], known: [] as number[], alone: [] as number[] }
  let aloneMegabytes = Number.NaN
  for (let round = 0; round < starts; round++) {
    progress(`start, ${model.name}: ${round + 1} of ${starts}`)
    await rm(join(stateFolder, 'model-hashes.json'))
    times.hashed.push(await stopped(await open()))
    times.known.push(await stopped(await open()))
    const startedAt = performance.now()
    const bare = await lab.helper('bare-engine.ts', { modelPath: model.path, contextLength: CONTEXT })
    times.alone.push(performance.now() - startedAt)
    aloneMegabytes = rssMegabytes(bare.pid)
    await bare.stop()
  }
  progress(`rest, ${model.name}: ${idleMs / 1000} s`)
  const rest = await atRest(orc, await open(), idleMs)
  const fileMegabytes = (await stat(model.path)).size / 2 ** 20
  const { hashed: hashedMs, known: knownMs, alone: aloneMs } = times
  return { model: model.name, fileMegabytes, hashedMs, knownMs, aloneMs, aloneMegabytes, ...rest }
}

async function atRest(
  orc: FakeOrc,
  host: LabHost,
  idleMs: number,
): Promise<Pick<Measured, 'agentMegabytes' | 'engineMegabytes' | 'agentIdlePercent' | 'engineIdlePercent'>> {
  try {
    await sleep(SETTLE_MS)
    const engines = descendants(host.pid)
    const requests = orc.requests.length
    const before = { agent: cpuSeconds(host.pid), engine: sum(engines.map(cpuSeconds)) }
    const startedAt = performance.now()
    await sleep(idleMs)
    const seconds = (performance.now() - startedAt) / 1000
    if (orc.requests.length !== requests) throw new Error('the Host was not at rest: it called the Orc')
    return {
      agentMegabytes: rssMegabytes(host.pid),
      engineMegabytes: sum(engines.map(rssMegabytes)),
      agentIdlePercent: ((cpuSeconds(host.pid) - before.agent) / seconds) * 100,
      engineIdlePercent: ((sum(engines.map(cpuSeconds)) - before.engine) / seconds) * 100,
    }
  } finally {
    await host.stop()
  }
}

function printStarts(measured: readonly Measured[]): void {
  const columns = [
    'model',
    'file, MB',
    'online, hash computed, ms',
    'online, hash known, ms',
    'node-llama-cpp alone ready, ms',
    'added, hash known, ms',
    'ratio, hash known',
  ]
  const rows = measured.map(({ model, fileMegabytes, hashedMs, knownMs, aloneMs }) => {
    const [hashed, known, alone] = [median(hashedMs), median(knownMs), median(aloneMs)]
    const times = [hashed, known, alone, known - alone].map((value) => fixed(value, 0))
    return [model, fixed(fileMegabytes, 0), ...times, fixed(known / alone)]
  })
  printTable('host: from start to online with a loaded model', columns, rows)
  printNote(
    'From spawning `daisi-host run` to its `online` line, medians. The Host is enrolled, its Orc answers from memory, and the ' +
      'file is in the page cache. The hash of a model is computed when its file is new. Alone: from spawning Node to a ' +
      'loaded model with a context of the same size.',
  )
}

function printRest(measured: readonly Measured[], { idleMs }: Bounds): void {
  const columns = [
    'model',
    'agent RSS, MB',
    'engine RSS, MB',
    'Host over the file, MB',
    'alone over the file, MB',
    'idle CPU agent / engine, %',
    'idle CPU, %',
    'target',
    'verdict',
  ]
  const rows = measured.map((one) => {
    const { fileMegabytes, agentMegabytes, engineMegabytes, agentIdlePercent, engineIdlePercent } = one
    const over = [agentMegabytes + engineMegabytes, one.aloneMegabytes].map((rss) => rss - fileMegabytes)
    const idle = agentIdlePercent + engineIdlePercent
    return [
      one.model,
      ...[agentMegabytes, engineMegabytes, ...over].map((value) => fixed(value, 0)),
      `${fixed(agentIdlePercent)} / ${fixed(engineIdlePercent)}`,
      fixed(idle),
      `≤ ${MOST_IDLE_PERCENT}`,
      verdict(idle <= MOST_IDLE_PERCENT),
    ]
  })
  printTable('host: at rest, connected and loaded', columns, rows)
  printNote(
    `RSS counts the pages of the model's file, which the system can share and drop, and in either process Node itself. One slot, ` +
      `context ${CONTEXT}, on either side. CPU of agent and engine over ${idleMs / 1000} s without work, of one core.`,
  )
}

/** Ends a Host and says how long it took to come online. */
async function stopped(host: LabHost): Promise<number> {
  await host.stop()
  return host.onlineMs
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0)
}
