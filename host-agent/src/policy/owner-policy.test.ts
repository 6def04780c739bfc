import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { agentConfig, readAgentConfig, writeAgentConfig } from '../state/agent-config.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import type { GpuReading, MachineProbes, Reading } from './machine/probe.ts'
import { OwnerPolicy } from './owner-policy.ts'
import type { OwnerPatch } from './owner-wishes.ts'

const logger = pino({ level: 'silent' })
const HOUR_MS = 3_600_000
/** A Wednesday. */
const noon = new Date(2026, 5, 3, 12, 0).getTime()

/** A machine as the test says it is. */
class TestMachine implements MachineProbes {
  idleMs: Reading<number> = { value: Infinity }
  onPower: Reading<boolean> = { value: true }
  gpuPercent: GpuReading = { value: 0 }
  looks: string[] = []
  closed = false
  async input(): Promise<Reading<number>> {
    this.looks.push('input')
    return this.idleMs
  }
  async power(): Promise<Reading<boolean>> {
    this.looks.push('power')
    return this.onPower
  }
  async gpu(): Promise<GpuReading> {
    this.looks.push('gpu')
    return this.gpuPercent
  }
  close(): void {
    this.closed = true
  }
}

let folder: string
let clock: ManualClock
let machine: TestMachine
let policy: OwnerPolicy | undefined

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'daisi-policy-'))
  clock = new ManualClock(noon)
  machine = new TestMachine()
})
afterEach(async () => {
  await policy?.close()
  await rm(folder, { recursive: true, force: true })
})

async function open(overrides: OwnerPatch = {}): Promise<OwnerPolicy> {
  policy = await OwnerPolicy.open({
    stateFolder: folder,
    overrides,
    clock,
    isWorking: () => false,
    logger,
    probes: machine,
  })
  return policy
}

/** Resolves at the next change that is told. */
function nextChange(policy: OwnerPolicy): Promise<void> {
  return new Promise((resolve) => {
    const stop = policy.onChange(() => {
      stop()
      resolve()
    })
  })
}

test('without wishes it works', async () => {
  const policy = await open()
  expect(policy.reason).toBeUndefined()
  expect(policy.tokensLeftToday).toBe(Infinity)
  expect(policy.declines(['anything'])).toBe(false)
})

test('what is changed holds at once, is told, and outlives a restart beside the rest of the file', async () => {
  await writeAgentConfig(folder, agentConfig.parse({ slots: 7, settings: { threads: 2 } }))
  const policy = await open({ memoryBytes: 1_000 })
  const told: (string | undefined)[] = []
  policy.onChange(() => told.push(policy.reason))
  expect(await policy.change({ paused: true, blocklist: ['Secret'] })).toMatchObject({ ok: true })
  expect(told).toEqual(['paused'])
  expect(policy.declines(['', 'a SECRET'])).toBe(true)
  // An option of this run does not end up in the file.
  const { slots, settings } = await readAgentConfig(folder)
  expect(slots).toBe(7)
  expect(settings).toMatchObject({ paused: true, blocklist: ['Secret'], threads: 2, memoryBytes: null })
  expect(policy.settings.memoryBytes).toBe(1_000)
  const again = { stateFolder: folder, overrides: {}, clock, isWorking: () => false, logger }
  expect((await OwnerPolicy.open(again)).reason).toBe('paused')
})

test('changes at the same time are all kept', async () => {
  const policy = await open()
  await Promise.all([
    policy.change({ paused: true }),
    policy.change({ threads: 3 }),
    policy.change({ threads: undefined, maxConcurrency: 2 }),
  ])
  const wanted = { paused: true, threads: 3, maxConcurrency: 2 }
  expect(policy.settings).toMatchObject(wanted)
  expect((await readAgentConfig(folder)).settings).toMatchObject(wanted)
})

test.each([
  [{ pause: true }, 'pause'],
  [{ paused: 'yes' }, 'paused'],
  [{ paused: true, threads: 0 }, 'threads'],
  [{ remote: { everything: true } }, 'remote.everything'],
  [JSON.parse('{"__proto__":{"paused":true}}') as object, '__proto__'],
])('%j changes nothing', async (patch, name) => {
  const policy = await open()
  const before = policy.settings
  const refused = await policy.change(patch as Record<string, unknown>)
  expect(refused).toMatchObject({ ok: false, code: 'invalid_setting' })
  expect((refused as { message: string }).message).toContain(name)
  expect(policy.settings).toBe(before)
  await expect(readFile(join(folder, 'config.json'))).rejects.toMatchObject({ code: 'ENOENT' })
})

test('what cannot be remembered does not hold', async () => {
  const policy = await open()
  await writeFile(join(folder, 'config.json'), '{ half of')
  expect(await policy.change({ paused: true })).toMatchObject({ ok: false, code: 'config_unusable' })
  expect(policy.reason).toBeUndefined()
  expect(await readFile(join(folder, 'config.json'), 'utf8')).toBe('{ half of')
  await rm(join(folder, 'config.json'))
  expect(await policy.change({ paused: true })).toMatchObject({ ok: true })
})

test('a part of what Orcs may do leaves the other', async () => {
  const policy = await open()
  await policy.change({ remote: { models: true } })
  await policy.change({ remote: { settings: false } })
  expect(policy.settings.remote).toEqual({ settings: false, models: true })
})

test('the schedule wakes it once for each change, and once more after it was changed', async () => {
  const policy = await open({ schedule: [{ days: ['wed'], from: '18:00', to: '20:00' }] })
  const told: (string | undefined)[] = []
  policy.onChange(() => told.push(policy.reason))
  expect(policy.reason).toBe('schedule')
  clock.advance(6 * HOUR_MS - 1)
  expect(told).toEqual([])
  clock.advance(1)
  expect(told).toEqual([undefined])
  clock.advance(2 * HOUR_MS)
  expect(told).toEqual([undefined, 'schedule'])
  clock.advance(6 * 24 * HOUR_MS)
  expect(told).toHaveLength(2)
  await policy.change({ schedule: [] })
  clock.advance(30 * 24 * HOUR_MS)
  expect(told).toEqual([undefined, 'schedule', undefined])
})

test('a machine that slept over a change knows before its timer does', async () => {
  const policy = await open({ schedule: [{ days: ['wed'], from: '10:00', to: '13:00' }] })
  const asleep = new ManualClock(noon + 2 * HOUR_MS)
  clock.now = () => asleep.now()
  expect(policy.reason).toBe('schedule')
})

test('the tokens of a day: others count, own do not, and midnight gives them back', async () => {
  const policy = await open({ maxTokensPerDay: 1_000 })
  const told: (string | undefined)[] = []
  policy.onChange(() => told.push(policy.reason))
  policy.processed(5_000, true, false)
  policy.processed(999, false, true)
  expect(policy.tokensLeftToday).toBe(1)
  expect(told).toEqual([])
  policy.processed(10, false, false)
  expect(policy.tokensLeftToday).toBe(0)
  expect(told).toEqual(['daily_limit'])
  expect(policy.today).toEqual({ tokensForOthers: 1_009, ownTokens: 5_000, jobs: 3, failedJobs: 1 })
  await policy.close()
  const again = await open({ maxTokensPerDay: 1_000 })
  expect(again.reason).toBe('daily_limit')
  const toldAgain: (string | undefined)[] = []
  again.onChange(() => toldAgain.push(again.reason))
  clock.advance(12 * HOUR_MS)
  expect(toldAgain).toEqual([undefined])
  expect(again.tokensLeftToday).toBe(1_000)
})

test('of several reasons the most important is told', async () => {
  machine.idleMs = { value: 0 }
  const policy = await open({
    paused: true,
    schedule: [{ days: ['wed'], from: '13:00', to: '14:00' }],
    onlyWhenIdle: { noInputMinutes: 5, onPower: false, gpuBelowPercent: 100 },
    maxTokensPerDay: 0,
  })
  expect(policy.reason).toBe('paused')
  await policy.change({ paused: false })
  expect(policy.reason).toBe('schedule')
  expect(machine.looks).toEqual([])
  clock.advance(HOUR_MS)
  expect(policy.reason).toBe('in_use')
  expect(machine.looks).toEqual(['input'])
  await policy.change({ onlyWhenIdle: null })
  expect(policy.reason).toBe('daily_limit')
  await policy.change({ maxTokensPerDay: 1 })
  expect(policy.reason).toBeUndefined()
})

test('only while the machine is idle: looked at again and again, and only at what is asked for', async () => {
  machine.idleMs = { value: 5 * 60_000 }
  machine.onPower = { value: false }
  const policy = await open({ onlyWhenIdle: { noInputMinutes: 5, onPower: true, gpuBelowPercent: 100 } })
  // Nobody has looked yet: the owner comes first.
  expect(policy.reason).toBe('in_use')
  await nextChange(policy)
  expect(policy.reason).toBe('on_battery')
  machine.onPower = { value: true }
  let change = nextChange(policy)
  clock.advance(15_000)
  await change
  expect(policy.reason).toBeUndefined()
  machine.idleMs = { value: 5 * 60_000 - 1 }
  change = nextChange(policy)
  clock.advance(15_000)
  await change
  expect(policy.reason).toBe('in_use')
  expect(new Set(machine.looks)).toEqual(new Set(['input', 'power']))
})

test('what cannot be known is in nobody’s way, and a problem', async () => {
  const unknown = { value: undefined, problem: { code: 'power_unknown', message: 'no' } }
  machine.onPower = unknown
  machine.gpuPercent = 'unattributed'
  const policy = await open({ onlyWhenIdle: { noInputMinutes: 0, onPower: true, gpuBelowPercent: 50 } })
  await nextChange(policy)
  expect(policy.reason).toBeUndefined()
  expect(policy.problems).toEqual([unknown.problem])
  machine.gpuPercent = { value: 50 }
  let change = nextChange(policy)
  clock.advance(15_000)
  await change
  expect(policy.reason).toBe('gpu_busy')
  // While a job of our own runs, what was last known of others holds.
  machine.gpuPercent = 'unattributed'
  machine.onPower = { value: true }
  change = nextChange(policy)
  clock.advance(15_000)
  await change
  expect(policy.problems).toEqual([])
  expect(policy.reason).toBe('gpu_busy')
})

test('closed, it leaves the machine alone', async () => {
  const policy = await open({ onlyWhenIdle: { noInputMinutes: 5, onPower: false, gpuBelowPercent: 100 } })
  await nextChange(policy)
  await policy.close()
  clock.advance(60_000)
  expect(machine.looks).toEqual(['input'])
  expect(machine.closed).toBe(true)
})
