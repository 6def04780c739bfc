import { expect, test } from 'vitest'
import { affordableTokens, leaseFree, refillAmount } from './lease.ts'

const empty = { amount: 0, held: 0, owed: 0 }

test.for([
  ['what is missing plus a quarter of the rest', empty, 100, 10_000, 100 + 2_475],
  ['no more cushion than its cap', empty, 100, 10_000_000, 20_100],
  ['the last credit', empty, 100, 100, 100],
  ['not covered', empty, 101, 100, undefined],
  ['only the missing part counts', { amount: 80, held: 10, owed: 10 }, 100, 40, 40],
  ['what is held and owed is not free', { amount: 80, held: 50, owed: 30 }, 100, 99, undefined],
] as const)('refill: %s', ([, lease, needed, available, amount]) => {
  expect(refillAmount(lease, needed, available)).toBe(amount)
})

test('a refill always makes enough free', () => {
  for (let needed = 1; needed < 500; needed += 7) {
    const lease = { amount: 300, held: 100, owed: 50 }
    const amount = refillAmount(lease, needed, 1_000) ?? 0
    expect(leaseFree({ ...lease, amount: lease.amount + amount })).toBeGreaterThanOrEqual(needed)
  }
})

test.for([
  [10_000, 100, 4_096],
  [1_000, 100, 900],
  [101, 100, 1],
  [100, 100, undefined],
] as const)('%i credits and a prompt of %i buy %s tokens', ([affordable, prompt, tokens]) => {
  expect(affordableTokens(affordable, prompt, 4_096)).toBe(tokens)
})
