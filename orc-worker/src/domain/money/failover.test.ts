import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Meter, NO_USAGE, weighClaim } from './claim.ts'
import { hold, price } from './price.ts'

const RUNS = { seed: 20_256, numRuns: 300 }

const PROMPT = 40
const MAX_TOKENS = 20

/** The meter of the Host that was asked first, when it was lost. */
function lostAfter(tokens: number): Meter {
  return {
    promptBound: 100,
    budget: hold(80, MAX_TOKENS),
    promptTokens: PROMPT,
    cachedTokens: 0,
    sentTokens: tokens,
    deliveredTokens: tokens,
    maxTokens: MAX_TOKENS,
    resumed: false,
  }
}

/** The meter of its replacement, which goes on behind `before` tokens: they are part of what it evaluates. */
function replacement(before: number, tokens: number): Meter {
  return {
    ...lostAfter(tokens),
    promptBound: 100 + before,
    promptTokens: PROMPT + before,
    maxTokens: MAX_TOKENS - before,
    resumed: before > 0,
  }
}

/** What an honest Host signs. */
function receiptOf(meter: Meter): Parameters<typeof weighClaim>[1] {
  const { promptTokens, cachedTokens, sentTokens } = meter
  return { promptTokens, cachedTokens, generatedTokens: sentTokens }
}

test('[R6] on failover the prompt is paid to the first Host and each token to the one that delivered it', () => {
  const first = weighClaim(lostAfter(5), undefined).usage
  const resumed = replacement(5, 12)
  const second = weighClaim(resumed, receiptOf(resumed)).usage
  expect(first).toEqual({ promptTokens: PROMPT, cachedTokens: 0, generatedTokens: 5 })
  expect(second).toEqual({ ...NO_USAGE, generatedTokens: 12 })
})

test('a replacement that delivers nothing is paid nothing', () => {
  const resumed = replacement(5, 0)
  expect(weighClaim(resumed, receiptOf(resumed))).toEqual({ usage: NO_USAGE, excess: undefined })
})

test('[R6] a second prefill is neither paid nor held against the replacement', () => {
  const resumed = replacement(5, 12)
  expect(weighClaim(resumed, receiptOf(resumed)).excess).toBeUndefined()
})

test('a replacement that is lost as well is paid by the meter', () => {
  expect(weighClaim(replacement(5, 3), undefined).usage).toEqual({ ...NO_USAGE, generatedTokens: 3 })
})

test('a replacement that claims more than it delivered is paid what it delivered', () => {
  const claimed = { promptTokens: PROMPT, cachedTokens: 0, generatedTokens: 15 }
  const { usage, excess } = weighClaim(replacement(5, 12), claimed)
  expect(usage).toEqual({ ...NO_USAGE, generatedTokens: 12 })
  expect(excess).toEqual({ promptTokens: 0, generatedTokens: 3 })
})

test('on failover before the first token the prompt is paid to the Host that delivered it', () => {
  expect(weighClaim(lostAfter(0), undefined).usage).toEqual(NO_USAGE)
  const second = replacement(0, 12)
  expect(weighClaim(second, receiptOf(second)).usage).toEqual({
    promptTokens: PROMPT,
    cachedTokens: 0,
    generatedTokens: 12,
  })
})

test('however many Hosts are lost, a Consumer pays for the prompt and each token once', () => {
  const parts = fc.array(fc.nat({ max: 6 }), { minLength: 1, maxLength: 8 })
  fc.assert(
    fc.property(parts, fc.boolean(), (parts, lastOneSigns) => {
      let before = 0
      let credits = 0
      for (const [index, wanted] of parts.entries()) {
        const tokens = Math.min(wanted, MAX_TOKENS - before)
        const meter = replacement(before, tokens)
        const signs = lastOneSigns && index === parts.length - 1
        const { usage, excess } = weighClaim(meter, signs ? receiptOf(meter) : undefined)
        expect(usage.generatedTokens).toBe(tokens)
        expect(excess).toBeUndefined()
        before += tokens
        credits += price(usage)
      }
      expect(credits).toBe(before === 0 ? 0 : PROMPT + before)
    }),
    RUNS,
  )
})
