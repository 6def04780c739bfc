import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { type FinishedJob, settlementOf } from './settlement.ts'

const RUNS = { seed: 20_254, numRuns: 200 }

/** The start of an hour, UTC. */
const NOON = Date.UTC(2026, 1, 2, 12)
const MINUTE_MS = 60_000

const job: FinishedJob = {
  hostId: 'hst_a',
  payee: 'acc_a',
  network: 'public',
  model: 'nano',
  usage: { promptTokens: 10, cachedTokens: 4, generatedTokens: 3 },
  promptBytes: 50,
  textBytes: 12,
  endedAt: NOON + 25 * MINUTE_MS,
  credits: 9,
}

test('no Job needs nothing', () => {
  expect(settlementOf([])).toEqual({ jobs: 0, credits: 0, payments: [], usage: [], work: [] })
})

test('one Job is one payment, one line of usage and one of work', () => {
  const amounts = { jobs: 1, promptTokens: 10, cachedTokens: 4, generatedTokens: 3, credits: 9 }
  const sizes = { promptBytes: 50, textBytes: 12 }
  const host = { hostId: 'hst_a', payee: 'acc_a', network: 'public' }
  expect(settlementOf([job])).toEqual({
    jobs: 1,
    credits: 9,
    payments: [{ payee: 'acc_a', credits: 9 }],
    usage: [{ day: '2026-02-02', model: 'nano', ...amounts }],
    work: [{ ...host, hour: NOON, model: 'nano', ...sizes, ...amounts }],
  })
})

test('Jobs of one kind are added up', () => {
  const other = {
    ...job,
    usage: { promptTokens: 100, cachedTokens: 20, generatedTokens: 30 },
    promptBytes: 500,
    textBytes: 120,
    endedAt: job.endedAt + MINUTE_MS,
    credits: 110,
  }
  const { jobs, credits, payments, usage, work } = settlementOf([job, other])
  const sums = { jobs: 2, promptTokens: 110, cachedTokens: 24, generatedTokens: 33, credits: 119 }
  expect({ jobs, credits }).toEqual({ jobs: 2, credits: 119 })
  expect(payments).toEqual([{ payee: 'acc_a', credits: 119 }])
  expect(usage).toEqual([expect.objectContaining(sums)])
  expect(work).toEqual([expect.objectContaining({ ...sums, promptBytes: 550, textBytes: 132 })])
})

test('each owner is paid once, for all Hosts', () => {
  const jobs = [job, { ...job, hostId: 'hst_b', credits: 5 }, { ...job, payee: 'acc_b', credits: 1 }]
  expect(settlementOf(jobs).payments).toEqual([
    { payee: 'acc_a', credits: 14 },
    { payee: 'acc_b', credits: 1 },
  ])
})

test('[P3] work on own Hosts is usage, and neither paid nor shown as work for others', () => {
  const { payments, credits, usage, work } = settlementOf([{ ...job, credits: 0 }])
  expect(payments).toEqual([])
  expect(credits).toBe(0)
  expect(usage).toEqual([expect.objectContaining({ jobs: 1, generatedTokens: 3, credits: 0 })])
  expect(work).toEqual([])
})

test('beside paid Jobs, one on an own Host adds nothing to its line of work', () => {
  const settlement = settlementOf([{ ...job, credits: 0 }, job, { ...job, credits: 0 }])
  expect(settlement).toMatchObject({ jobs: 3, credits: 9 })
  expect(settlement.usage).toMatchObject([{ jobs: 3, generatedTokens: 9, credits: 9 }])
  expect(settlement.work).toMatchObject([{ jobs: 1, generatedTokens: 3, textBytes: 12, credits: 9 }])
})

test('usage is kept apart by day and model', () => {
  const tomorrow = job.endedAt + 24 * 60 * MINUTE_MS
  const jobs = [job, { ...job, endedAt: tomorrow }, { ...job, model: 'large' }, { ...job, hostId: 'hst_b' }]
  const lines = settlementOf(jobs).usage.map(({ day, model, jobs }) => [day, model, jobs])
  expect(lines).toEqual([
    ['2026-02-02', 'nano', 2],
    ['2026-02-03', 'nano', 1],
    ['2026-02-02', 'large', 1],
  ])
})

test('work is kept apart by Host, hour and model', () => {
  const next = NOON + 60 * MINUTE_MS
  const jobs = [
    { ...job, endedAt: NOON },
    { ...job, endedAt: next - 1 },
    { ...job, endedAt: next },
    { ...job, model: 'large' },
    { ...job, hostId: 'hst_b' },
  ]
  const lines = settlementOf(jobs).work.map(({ hostId, hour, model, jobs }) => [hostId, hour, model, jobs])
  expect(lines).toEqual([
    ['hst_a', NOON, 'nano', 2],
    ['hst_a', next, 'nano', 1],
    ['hst_a', NOON, 'large', 1],
    ['hst_b', NOON, 'nano', 1],
  ])
})

const finished: fc.Arbitrary<FinishedJob> = fc
  .record({
    host: fc.constantFrom(['hst_a', 'acc_a'], ['hst_b', 'acc_a'], ['hst_c', 'acc_c']),
    model: fc.constantFrom('nano', 'large'),
    usage: fc.record({
      promptTokens: fc.nat({ max: 100_000 }),
      cachedTokens: fc.nat({ max: 100_000 }),
      generatedTokens: fc.nat({ max: 100_000 }),
    }),
    promptBytes: fc.nat({ max: 100_000 }),
    textBytes: fc.nat({ max: 100_000 }),
    endedAt: fc.integer({ min: NOON, max: NOON + 48 * 60 * MINUTE_MS }),
    credits: fc.oneof(fc.constant(0), fc.nat({ max: 100_000 })),
  })
  .map(({ host: [hostId = '', payee = ''], ...rest }) => ({ ...rest, hostId, payee, network: 'public' }))

test('payments, usage and work are the same credits, and usage all Jobs, work those that are paid', () => {
  fc.assert(
    fc.property(fc.array(finished, { maxLength: 40 }), (jobs) => {
      const settlement = settlementOf(jobs)
      expect(settlement.jobs).toBe(jobs.length)
      const credits = jobs.reduce((sum, job) => sum + job.credits, 0)
      expect(settlement.credits).toBe(credits)
      for (const lines of [settlement.payments, settlement.usage, settlement.work]) {
        expect(sum(lines.map((line) => line.credits))).toBe(credits)
      }
      const paid = jobs.filter((job) => job.credits > 0)
      for (const [lines, counted] of [[settlement.usage, jobs] as const, [settlement.work, paid] as const]) {
        expect(sum(lines.map((line) => line.jobs))).toBe(counted.length)
        for (const count of ['promptTokens', 'cachedTokens', 'generatedTokens'] as const) {
          expect(sum(lines.map((line) => line[count]))).toBe(sum(counted.map((job) => job.usage[count])))
        }
      }
    }),
    RUNS,
  )
})

test('no two lines of a settlement have the same key', () => {
  fc.assert(
    fc.property(fc.array(finished, { maxLength: 40 }), (jobs) => {
      const { payments, usage, work } = settlementOf(jobs)
      expectDistinct(payments.map(({ payee }) => payee))
      expectDistinct(usage.map(({ day, model }) => `${day} ${model}`))
      expectDistinct(work.map(({ hostId, hour, model }) => `${hostId} ${hour} ${model}`))
      expect([...payments, ...work].every((line) => line.credits > 0)).toBe(true)
    }),
    RUNS,
  )
})

function sum(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}

function expectDistinct(keys: readonly string[]): void {
  expect(new Set(keys).size).toBe(keys.length)
}
