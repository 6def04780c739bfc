import type { JobUsage } from '@daisi/protocol'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Meter, billableTokens, weighAcknowledged, weighClaim } from './claim.ts'
import { hold, price } from './price.ts'

const RUNS = { seed: 20_253, numRuns: 400 }

// Small counts, so that limits are met from both sides, and large ones.
const tokens = fc.oneof(fc.nat({ max: 12 }), fc.nat({ max: 1_000_000 }))

const usage: fc.Arbitrary<JobUsage> = fc.record({
  promptTokens: tokens,
  cachedTokens: tokens,
  generatedTokens: tokens,
})

/** Meters as they can be: the Orc's own limits hold, and whatever a Host says is anything. */
const meter: fc.Arbitrary<Meter> = fc
  .record({
    estimate: tokens,
    template: tokens,
    maxTokens: tokens,
    promptTokens: tokens,
    cachedTokens: tokens,
    sent: tokens,
    textBytes: tokens,
    resumed: fc.boolean(),
  })
  .map(({ estimate, template, maxTokens, sent, textBytes, ...said }) => {
    const sentTokens = Math.min(sent, maxTokens)
    return {
      ...said,
      promptBound: estimate + template,
      budget: hold(estimate, maxTokens),
      maxTokens,
      sentTokens,
      deliveredTokens: billableTokens(sentTokens, textBytes),
    }
  })

const receipt = fc.option(usage, { nil: undefined })

test('[P4] no claim is paid more than is held', () => {
  fc.assert(
    fc.property(meter, receipt, (meter, receipt) => {
      const { usage } = weighClaim(meter, receipt)
      expect(usage.promptTokens + usage.generatedTokens).toBeLessThanOrEqual(meter.budget)
      expect(price(usage)).toBeGreaterThanOrEqual(0)
    }),
    RUNS,
  )
})

test('[R2] each count that is paid is within what the Orc saw and what the Host signed', () => {
  fc.assert(
    fc.property(meter, usage, (meter, receipt) => {
      const { usage } = weighClaim(meter, receipt)
      expect(usage.generatedTokens).toBeLessThanOrEqual(
        Math.min(meter.deliveredTokens, meter.sentTokens, meter.maxTokens, receipt.generatedTokens),
      )
      expect(usage.promptTokens).toBeLessThanOrEqual(
        Math.min(meter.promptBound, meter.promptTokens, receipt.promptTokens),
      )
      expectWellFormed(usage)
    }),
    RUNS,
  )
})

test('[P2] a prompt is paid only with a part of its answer', () => {
  fc.assert(
    fc.property(meter, receipt, (meter, receipt) => {
      const { usage } = weighClaim(meter, receipt)
      if (usage.generatedTokens === 0) expect(price(usage)).toBe(0)
      if (meter.resumed) expect(price(usage)).toBe(usage.generatedTokens)
    }),
    RUNS,
  )
})

test('no receipt is paid more than the meter alone', () => {
  fc.assert(
    fc.property(meter, usage, (meter, receipt) => {
      const alone = weighClaim(meter, undefined).usage
      expect(price(weighClaim(meter, receipt).usage)).toBeLessThanOrEqual(price(alone))
    }),
    RUNS,
  )
})

test('a Host never gains by claiming less than it did', () => {
  fc.assert(
    fc.property(meter, usage, usage, (meter, claimed, less) => {
      const modest = {
        promptTokens: claimed.promptTokens - Math.min(claimed.promptTokens, less.promptTokens),
        cachedTokens: claimed.cachedTokens + less.cachedTokens,
        generatedTokens: claimed.generatedTokens - Math.min(claimed.generatedTokens, less.generatedTokens),
      }
      const credits = price(weighClaim(meter, claimed).usage)
      expect(price(weighClaim(meter, modest).usage)).toBeLessThanOrEqual(credits)
    }),
    RUNS,
  )
})

test('an excess is stated if and only if the claim is beyond the meter', () => {
  fc.assert(
    fc.property(meter, usage, (meter, receipt) => {
      const { excess } = weighClaim(meter, receipt)
      const beyond =
        receipt.generatedTokens > meter.deliveredTokens ||
        meter.sentTokens > meter.deliveredTokens ||
        receipt.promptTokens > meter.promptTokens ||
        receipt.promptTokens > meter.promptBound ||
        receipt.promptTokens + meter.deliveredTokens > meter.budget
      expect(excess !== undefined).toBe(beyond)
      if (excess === undefined) return
      expect(excess.promptTokens + excess.generatedTokens).toBeGreaterThan(0)
      expect(Math.min(excess.promptTokens, excess.generatedTokens)).toBeGreaterThanOrEqual(0)
    }),
    RUNS,
  )
})

test('an honest Host is paid what it claims, without excess', () => {
  fc.assert(
    fc.property(meter, (meter) => {
      const promptTokens = Math.min(meter.promptTokens, meter.promptBound, meter.budget - meter.maxTokens)
      const cachedTokens = Math.min(meter.cachedTokens, promptTokens)
      const seen = { ...meter, promptTokens, cachedTokens, sentTokens: meter.deliveredTokens, resumed: false }
      const claim = { promptTokens, cachedTokens, generatedTokens: meter.deliveredTokens }
      const { usage, excess } = weighClaim(seen, claim)
      expect(excess).toBeUndefined()
      if (claim.generatedTokens > 0) expect(usage).toEqual(claim)
    }),
    RUNS,
  )
})

test('over a Direct Connection no more is paid than was acknowledged and than was signed for', () => {
  fc.assert(
    fc.property(usage, usage, (acknowledged, receipt) => {
      const paid = weighAcknowledged(acknowledged, receipt)
      expectWellFormed(paid)
      for (const side of [acknowledged, receipt]) {
        expect(paid.promptTokens).toBeLessThanOrEqual(side.promptTokens)
        expect(paid.generatedTokens).toBeLessThanOrEqual(side.generatedTokens)
      }
      if (paid.generatedTokens === 0) expect(price(paid)).toBe(0)
      // Neither side's word weighs more than the other's.
      expect(weighAcknowledged(receipt, acknowledged)).toEqual(paid)
    }),
    RUNS,
  )
})

function expectWellFormed({ promptTokens, cachedTokens, generatedTokens }: JobUsage): void {
  expect(cachedTokens).toBeGreaterThanOrEqual(0)
  expect(cachedTokens).toBeLessThanOrEqual(promptTokens)
  expect(generatedTokens).toBeGreaterThanOrEqual(0)
}
