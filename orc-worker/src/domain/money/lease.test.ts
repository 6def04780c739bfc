import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  budgetFree,
  finishedRecalled,
  recalled,
  releaseAmount,
  EMPTY_LEASE,
  type Lease,
  affordableTokens,
  finished,
  leaseFree,
  owedFor,
  refillAmount,
  refilled,
  released,
  reserved,
  runsDry,
  settled,
  topUpAmount,
  yielded,
} from './lease.ts'

const RUNS = { seed: 20_252, numRuns: 300 }

const credits = fc.nat({ max: 1_000_000 })
const lease: fc.Arbitrary<Lease> = fc
  .tuple(credits, credits, credits)
  .map(([free, held, owed]) => ({ amount: free + held + owed, held, owed, returning: 0 }))

test('a new lease is empty', () => {
  expect(EMPTY_LEASE).toEqual({ amount: 0, held: 0, owed: 0, returning: 0 })
})

test('what is held and owed is not free', () => {
  expect(leaseFree({ amount: 100, held: 30, owed: 20, returning: 0 })).toBe(50)
})

test.for([
  [100, 30, 20, 50],
  [100, 60, 40, 0],
  [100, 90, 40, 0],
  [null, 90, 40, Number.MAX_SAFE_INTEGER],
] as const)('of a budget of %s with %i spent and %i held, %i are free', ([budget, spent, held, free]) => {
  expect(budgetFree(budget, spent, held)).toBe(free)
})

test('what is recalled is no Job’s to use and goes back, with what running Jobs leave', () => {
  const lease = { amount: 100, held: 30, owed: 20, returning: 0 }
  const after = recalled(lease)
  expect(after).toEqual({ ...lease, returning: 50 })
  expect([leaseFree(after), releaseAmount(after, false), releaseAmount(after, true)]).toEqual([0, 50, 50])
  expect(recalled(after)).toEqual(after)
  const ended = finishedRecalled(released(after, 50), 30, 12)
  expect(ended).toEqual({ amount: 50, held: 0, owed: 32, returning: 18 })
})

test('an idle Session releases what is free, another only what was recalled', () => {
  const lease = { amount: 100, held: 30, owed: 20, returning: 10 }
  expect([releaseAmount(lease, false), releaseAmount(lease, true)]).toEqual([10, 50])
})

test.for([
  ['more than was thought', 500, 0, { held: 30, owed: 20, returning: 10 }],
  ['less, but enough for Jobs', 50, 0, { held: 30, owed: 20, returning: 0 }],
  ['not enough for what is held', 49, 0, { held: 0, owed: 20, returning: 10 }],
  ['just what is owed', 20, 0, { held: 0, owed: 20, returning: 0 }],
  ['not even that', 19, 0, { held: 0, owed: 0, returning: 10 }],
  ['what was on its way back', 500, 7, { held: 30, owed: 20, returning: 17 }],
] as const)('the book has %s: its word is taken', ([, book, onItsWay, kept]) => {
  const lease = { amount: 100, held: 30, owed: 20, returning: 10 }
  expect(yielded(lease, book, onItsWay)).toEqual({ amount: book, ...kept })
})

test('a Job may reserve the last credit and no more', () => {
  const lease = { amount: 100, held: 30, owed: 20, returning: 0 }
  expect(reserved(lease, 50)).toEqual({ amount: 100, held: 80, owed: 20, returning: 0 })
  expect(reserved(lease, 51)).toBeUndefined()
})

test('a Job on an own Host needs no credits', () => {
  expect(reserved(EMPTY_LEASE, 0)).toEqual(EMPTY_LEASE)
})

test('the end of a Job frees what it did not cost', () => {
  expect(finished({ amount: 100, held: 50, owed: 10, returning: 0 }, 40, 25)).toEqual({
    amount: 100,
    held: 10,
    owed: 35,
    returning: 0,
  })
})

test('[P4] a Job never owes more than was held for it', () => {
  expect(owedFor(40, 39)).toBe(39)
  expect(owedFor(40, 41)).toBe(40)
  expect(finished({ amount: 100, held: 40, owed: 0, returning: 0 }, 40, 41)).toEqual({
    amount: 100,
    held: 0,
    owed: 40,
    returning: 0,
  })
})

test('a refill, a settlement and a release move the amount', () => {
  const lease = { amount: 100, held: 40, owed: 30, returning: 0 }
  expect(refilled(lease, 7)).toEqual({ amount: 107, held: 40, owed: 30, returning: 0 })
  expect(settled(lease, 20)).toEqual({ amount: 80, held: 40, owed: 10, returning: 0 })
  expect(released(lease, 30)).toEqual({ amount: 70, held: 40, owed: 30, returning: 0 })
})

/** What a Session may do to its lease. Numbers pick a running Job and how much is moved, whatever there is. */
const step = fc.record({
  kind: fc.constantFrom('refill', 'reserve', 'finish', 'settle', 'release', 'recall'),
  pick: fc.nat(),
  amount: fc.nat({ max: 5_000 }),
})

test('a lease accounts for every credit through any life of its Session', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let lease = EMPTY_LEASE
      let holds: { hold: number; isRecalled: boolean }[] = []
      let book = 0
      let owed = 0
      let returning = 0
      const held = (): number => sum(holds.map(({ hold }) => hold))
      for (const { kind, pick, amount } of steps) {
        if (kind === 'refill') {
          lease = refilled(lease, amount)
          book += amount
        } else if (kind === 'reserve') {
          const after = reserved(lease, amount)
          expect(after === undefined).toBe(amount > book - held() - owed - returning)
          if (after !== undefined) holds.push({ hold: amount, isRecalled: false })
          lease = after ?? lease
        } else if (kind === 'finish' && holds.length > 0) {
          const [{ hold, isRecalled } = { hold: 0, isRecalled: false }] = holds.splice(pick % holds.length, 1)
          lease = (isRecalled ? finishedRecalled : finished)(lease, hold, amount)
          owed += Math.min(hold, amount)
          if (isRecalled) returning += Math.max(0, hold - amount)
        } else if (kind === 'settle') {
          const paid = owed === 0 ? 0 : pick % (owed + 1)
          lease = settled(lease, paid)
          book -= paid
          owed -= paid
        } else if (kind === 'release') {
          const isIdle = pick % 2 === 0
          const returned = releaseAmount(lease, isIdle)
          expect(returned).toBe(isIdle ? book - held() - owed : returning)
          lease = released(lease, returned)
          book -= returned
          returning = 0
        } else if (kind === 'recall') {
          lease = recalled(lease)
          returning = book - held() - owed
          holds = holds.map(({ hold }) => ({ hold, isRecalled: true }))
        }
        expect(lease).toEqual({ amount: book, held: held(), owed, returning })
        expect(Math.min(lease.held, lease.owed, leaseFree(lease))).toBeGreaterThanOrEqual(0)
      }
    }),
    RUNS,
  )
})

test.for([
  ['what is missing plus a quarter of the rest', EMPTY_LEASE, 100, 10_000, 100 + 2_475],
  ['no more cushion than its cap', EMPTY_LEASE, 100, 10_000_000, 20_100],
  ['a cushion for several large Jobs', EMPTY_LEASE, 10_000, 10_000_000, 50_000],
  ['the share is rounded down', EMPTY_LEASE, 100, 107, 101],
  ['the last credit', EMPTY_LEASE, 100, 100, 100],
  ['not covered', EMPTY_LEASE, 101, 100, undefined],
  ['only the missing part counts', { amount: 80, held: 10, owed: 10, returning: 0 }, 100, 40, 40],
  ['what is held and owed is not free', { amount: 80, held: 50, owed: 30, returning: 0 }, 100, 99, undefined],
  ['nothing is missing', { amount: 500, held: 0, owed: 0, returning: 0 }, 100, 1_000, 250],
  ['nothing is missing and the account is empty', { amount: 500, held: 0, owed: 0, returning: 0 }, 100, 0, 0],
] as const)('refill: %s', ([, lease, needed, available, amount]) => {
  expect(refillAmount(lease, needed, available)).toBe(amount)
})

test('a refill always suffices and never takes more than the account has', () => {
  fc.assert(
    fc.property(lease, credits, credits, (lease, needed, available) => {
      const amount = refillAmount(lease, needed, available)
      const missing = needed - leaseFree(lease)
      expect(amount === undefined).toBe(missing > available)
      if (amount === undefined) return
      expect(Number.isSafeInteger(amount)).toBe(true)
      expect(amount).toBeGreaterThanOrEqual(0)
      expect(amount).toBeLessThanOrEqual(available)
      expect(reserved(refilled(lease, amount), needed)).toBeDefined()
    }),
    RUNS,
  )
})

test('a refill leaves at least three quarters of what is not missing to others', () => {
  fc.assert(
    fc.property(lease, credits, credits, (lease, needed, available) => {
      const missing = Math.max(0, needed - leaseFree(lease))
      const amount = refillAmount(lease, needed, available) ?? missing
      expect((amount - missing) * 4).toBeLessThanOrEqual(Math.max(0, available - missing))
    }),
    RUNS,
  )
})

test.for([
  [{ amount: 100, held: 0, owed: 0, returning: 0 }, 400, false],
  [{ amount: 100, held: 1, owed: 0, returning: 0 }, 400, true],
  [{ amount: 100, held: 0, owed: 1, returning: 0 }, 400, true],
  [EMPTY_LEASE, 0, false],
] as const)('of %j and a last refill of %i: runs dry %s', ([lease, lastRefill, dry]) => {
  expect(runsDry(lease, lastRefill)).toBe(dry)
})

test.for([
  ['a quarter of what is left', 50, 40_000, 10_000],
  ['no more than its cap', 50, 10_000_000, 20_000],
  ['more for large Jobs', 100_000, 10_000_000, 400_000],
  ['just worth it', 50, 4_000, 1_000],
  ['not worth it', 50, 3_999, undefined],
  ['an account that has nothing', 50, 0, undefined],
] as const)('top-up: %s', ([, lastHold, available, amount]) => {
  expect(topUpAmount(lastHold, available)).toBe(amount)
})

test('a top-up takes at most a quarter of what the account has', () => {
  fc.assert(
    fc.property(credits, credits, (lastHold, available) => {
      const amount = topUpAmount(lastHold, available)
      if (amount !== undefined) expect(amount * 4).toBeLessThanOrEqual(available)
      expect(amount === undefined).toBe(available < 4_000)
    }),
    RUNS,
  )
})

test.for([
  [10_000, 100, 4_096],
  [4_196, 100, 4_096],
  [1_000, 100, 900],
  [101, 100, 1],
  [100, 100, undefined],
  [99, 100, undefined],
] as const)('%i credits and a prompt of %i buy %s tokens', ([affordable, prompt, tokens]) => {
  expect(affordableTokens(affordable, prompt, 4_096)).toBe(tokens)
})

function sum(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}
