import { expect, test } from 'vitest'
import { type Meter, billableUsage, hold, price, promptTokenBound } from './price.ts'

const meter: Meter = {
  promptBound: 100,
  promptTokens: 40,
  cachedTokens: 0,
  deliveredTokens: 7,
  maxTokens: 20,
}

test('[P1] price counts what was evaluated and generated', () => {
  expect(price({ promptTokens: 40, cachedTokens: 30, generatedTokens: 7 })).toBe(17)
})

test('the bound counts bytes, not characters, and the template', () => {
  expect(promptTokenBound([{ role: 'user', content: 'añ€' }])).toBe(6 + 64 + 16)
})

test.for([
  ['both agree', {}, { promptTokens: 40, cachedTokens: 0, generatedTokens: 7 }, 47],
  ['[R2] the receipt claims more output', {}, { promptTokens: 40, cachedTokens: 0, generatedTokens: 99 }, 47],
  ['[R2] the receipt claims less output', {}, { promptTokens: 40, cachedTokens: 0, generatedTokens: 3 }, 43],
  [
    '[R2] the receipt claims a longer prompt',
    {},
    { promptTokens: 90, cachedTokens: 0, generatedTokens: 7 },
    47,
  ],
  [
    '[R2] the prompt is beyond its bytes',
    { promptTokens: 500 },
    { promptTokens: 500, cachedTokens: 0, generatedTokens: 7 },
    107,
  ],
  [
    'the more cached count wins',
    { cachedTokens: 10 },
    { promptTokens: 40, cachedTokens: 25, generatedTokens: 7 },
    22,
  ],
  ['cached is never more than the prompt', {}, { promptTokens: 40, cachedTokens: 99, generatedTokens: 7 }, 7],
  [
    'delivered is never more than was asked for',
    { deliveredTokens: 90 },
    { promptTokens: 40, cachedTokens: 0, generatedTokens: 90 },
    60,
  ],
  [
    '[P2] nothing delivered',
    { deliveredTokens: 0 },
    { promptTokens: 40, cachedTokens: 0, generatedTokens: 7 },
    0,
  ],
  ['the Host vanished: the meter counts', {}, undefined, 47],
] as const)('%s', ([, over, receipt, credits]) => {
  expect(price(billableUsage({ ...meter, ...over }, receipt))).toBe(credits)
})

test('[P4] the hold covers every settlement', () => {
  // A grid over the corners of every count, with a fixed step: small, and the same each time.
  const counts = [0, 1, 7, 50, 100, 1_000_000]
  for (const promptTokens of counts)
    for (const cachedTokens of counts)
      for (const deliveredTokens of counts)
        for (const claimed of counts) {
          const seen = { ...meter, promptTokens, cachedTokens, deliveredTokens }
          const usage = billableUsage(seen, {
            promptTokens: claimed,
            cachedTokens: claimed,
            generatedTokens: claimed,
          })
          expect(price(usage)).toBeGreaterThanOrEqual(0)
          expect(price(usage)).toBeLessThanOrEqual(hold(seen.promptBound, seen.maxTokens))
        }
})
