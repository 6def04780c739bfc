import { descendants, rssMegabytes } from '../../bench/support/proc.ts'
import { canaryFaults } from './canary.ts'
import { type Span, fuzzHttp } from './http-area.ts'
import { fuzzDirect } from './direct-area.ts'
import { fuzzFrames } from './frame-area.ts'
import { Tally } from './tally.ts'
import { World } from './world.ts'

export const AREAS = ['http', 'frames', 'direct'] as const
export type Area = (typeof AREAS)[number]

/** What a run is told. */
export interface FuzzOptions {
  readonly seed: number
  /** Inputs over all areas. */
  readonly count: number
  readonly areas: readonly Area[]
  /** Only the input of this number, in the one area. */
  readonly only: number | undefined
  readonly progress: (text: string) => void
}

/** Memory of a process, in megabytes, before the first and after the last input. */
export interface Growth {
  readonly name: string
  readonly before: number
  readonly after: number
}

export interface FuzzResult {
  readonly seed: number
  readonly tally: Tally
  readonly growth: readonly Growth[]
  readonly logs: World['log']
}

/** Of all inputs, each area's part. */
const SHARE: Readonly<Record<Area, number>> = { http: 0.78, frames: 0.19, direct: 0.03 }
/**
 * More than this is a leak. An Orc under this load keeps some hundred objects in memory at a time, each with a database of its
 * own, and levels off at about 600 MB more than at its start.
 */
const MAX_GROWTH_MB = 1_000

const RUNNERS: Readonly<Record<Area, (world: World, tally: Tally, span: Span) => Promise<void>>> = {
  http: fuzzHttp,
  frames: fuzzFrames,
  direct: fuzzDirect,
}

/** Starts everything, sends all inputs, and ends everything. */
export async function runFuzz({ seed, count, areas, only, progress }: FuzzOptions): Promise<FuzzResult> {
  const tally = new Tally()
  await using world = await World.start(tally)
  const processes = [
    { name: 'Orc (workerd)', pid: world.orc.pid },
    { name: 'Host agent', pid: world.host.pid },
    ...descendants(world.host.pid).map((pid) => ({ name: 'engine', pid })),
  ]
  const faults = await canaryFaults(world)
  if (faults.length > 0)
    throw new Error(`the network does not work before the first input: ${faults.join('; ')}`)
  const before = processes.map(({ pid }) => rssMegabytes(pid))
  const total = areas.reduce((sum, area) => sum + SHARE[area], 0)
  for (const area of areas) {
    const part = Math.round((count * SHARE[area]) / total)
    const span = only === undefined ? { first: 0, count: part } : { first: only, count: 1 }
    await RUNNERS[area](world, tally, { seed, ...span, progress })
  }
  const growth = processes.map(({ name, pid }, index) => ({
    name,
    before: before[index] ?? 0,
    after: rssMegabytes(pid),
  }))
  for (const { name, before, after } of growth) {
    if (after - before <= MAX_GROWTH_MB) continue
    const what = `${name} grew from ${Math.round(before)} to ${Math.round(after)} MB`
    tally.fail({ area: 'memory', index: undefined, what, reproduction: '' })
  }
  return { seed, tally, growth, logs: world.log }
}
