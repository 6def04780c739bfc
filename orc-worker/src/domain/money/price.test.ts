import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { charge, hold, price, utf8Length } from './price.ts'

const RUNS = { seed: 20_251, numRuns: 300 }

const tokens = fc.nat({ max: 1_000_000 })
test.for([
  ['a prompt and an answer', { promptTokens: 40, cachedTokens: 0, generatedTokens: 7 }, 47],
  ['a prompt that was partly cached', { promptTokens: 40, cachedTokens: 30, generatedTokens: 7 }, 17],
  ['a prompt that was cached as a whole', { promptTokens: 40, cachedTokens: 40, generatedTokens: 7 }, 7],
  ['nothing', { promptTokens: 0, cachedTokens: 0, generatedTokens: 0 }, 0],
] as const)('[P1] price: %s', ([, usage, credits]) => {
  expect(price(usage)).toBe(credits)
})

test('cached tokens are free', () => {
  const usage = fc.record({ promptTokens: tokens, generatedTokens: tokens, cachedTokens: tokens })
  fc.assert(
    fc.property(usage, tokens, (usage, more) => {
      const longer = { promptTokens: usage.promptTokens + more, cachedTokens: usage.cachedTokens + more }
      expect(price({ ...usage, ...longer })).toBe(price(usage))
    }),
    RUNS,
  )
})

test('a hold is the price of a Job with nothing cached and every token generated', () => {
  expect(hold(40, 7)).toBe(47)
})

test('[P4] a hold covers every Job within its counts', () => {
  fc.assert(
    fc.property(tokens, tokens, fc.gen(), (promptTokens, maxTokens, draw) => {
      const processed = draw(fc.nat, { max: promptTokens })
      const cachedTokens = draw(fc.nat, { max: processed })
      const generatedTokens = draw(fc.nat, { max: maxTokens })
      const credits = price({ promptTokens: processed, cachedTokens, generatedTokens })
      expect(credits).toBeGreaterThanOrEqual(0)
      expect(credits).toBeLessThanOrEqual(hold(promptTokens, maxTokens))
    }),
    RUNS,
  )
})

test.for([
  ['', 0],
  ['a', 1],
  ['ñ', 2],
  ['€', 3],
  ['😀', 4],
  ['\ud83d', 3],
] as const)('%j has %i bytes', ([text, bytes]) => {
  expect(utf8Length(text)).toBe(bytes)
})

test('[P3] work on own Hosts is free, all other work has its price', () => {
  const usage = { promptTokens: 40, cachedTokens: 30, generatedTokens: 7 }
  expect([charge(usage, false), charge(usage, true)]).toEqual([17, 0])
})
