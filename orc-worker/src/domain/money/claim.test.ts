import type { JobUsage } from '@daisi/protocol'
import { expect, test } from 'vitest'
import { type Meter, NO_USAGE, billableTokens, weighAcknowledged, weighClaim } from './claim.ts'
import { hold, price } from './price.ts'

/** A prompt of 40 tokens in a hundred bytes, and 7 of at most 20 tokens of an answer. */
const meter: Meter = {
  promptBound: 100,
  budget: hold(80, 20),
  promptTokens: 40,
  cachedTokens: 0,
  sentTokens: 7,
  deliveredTokens: 7,
  maxTokens: 20,
  resumed: false,
}

function counts(promptTokens: number, cachedTokens: number, generatedTokens: number): JobUsage {
  return { promptTokens, cachedTokens, generatedTokens }
}

function paid(over: Partial<Meter>, receipt: JobUsage | undefined): number {
  return price(weighClaim({ ...meter, ...over }, receipt).usage)
}

test.for([
  ['each id has text', 3, 12, 3],
  ['a byte for each id', 3, 3, 3],
  ['ids without text', 5, 3, 3],
  ['no text at all', 5, 0, 0],
] as const)('[R2] tokens of a frame that count: %s', ([, ids, textBytes, tokens]) => {
  expect(billableTokens(ids, textBytes)).toBe(tokens)
})

test.for([
  ['both agree', {}, counts(40, 0, 7), 47],
  ['[R2] the receipt claims more output', {}, counts(40, 0, 99), 47],
  ['[R2] the receipt claims less output', {}, counts(40, 0, 3), 43],
  ['[R2] the receipt claims no output', {}, counts(40, 0, 0), 0],
  ['[R2] the receipt claims a longer prompt', {}, counts(90, 0, 7), 47],
  ['[R2] the receipt claims a shorter prompt', {}, counts(30, 0, 7), 37],
  ['[R2] the prompt is beyond its bytes', { promptTokens: 500, budget: 600 }, counts(500, 0, 7), 107],
  ['[R2] ids without text are not paid', { sentTokens: 15 }, counts(40, 0, 15), 47],
  ['[P4] the prompt is beyond what is held', { promptTokens: 99 }, counts(99, 0, 7), 100],
  ['[P4] the answer alone exhausts what is held', { promptTokens: 99, budget: 7 }, counts(99, 0, 7), 7],
  ['[P4] the answer is beyond what is held', { promptTokens: 99, budget: 3 }, counts(99, 0, 7), 3],
  ['[P1] cached tokens are free', { cachedTokens: 10 }, counts(40, 10, 7), 37],
  ['the more cached count wins, from the receipt', { cachedTokens: 10 }, counts(40, 25, 7), 22],
  ['the more cached count wins, from the meter', { cachedTokens: 25 }, counts(40, 10, 7), 22],
  ['cached is never more than the prompt', {}, counts(40, 99, 7), 7],
  ['no more is paid than was asked for', { sentTokens: 90, deliveredTokens: 90 }, counts(40, 0, 90), 60],
  ['[P2] nothing delivered', { sentTokens: 0, deliveredTokens: 0 }, counts(40, 0, 7), 0],
  ['[P2] nothing but ids delivered', { deliveredTokens: 0 }, counts(40, 0, 7), 0],
  ['[P2] partly delivered', { sentTokens: 2, deliveredTokens: 2 }, counts(40, 0, 2), 42],
  ['the Host crashed: the meter counts', {}, undefined, 47],
  ['the Host crashed: its cached tokens are free', { cachedTokens: 10 }, undefined, 37],
  ['the Host crashed with more than was asked for', { deliveredTokens: 90 }, undefined, 60],
  ['[P2] the Host crashed before the first token', { sentTokens: 0, deliveredTokens: 0 }, undefined, 0],
] as const)('%s', ([, over, receipt, credits]) => {
  expect(paid(over, receipt)).toBe(credits)
})

test('what is charged is stated in tokens of each kind', () => {
  expect(weighClaim({ ...meter, cachedTokens: 5 }, counts(38, 12, 6)).usage).toEqual(counts(38, 12, 6))
  expect(weighClaim({ ...meter, cachedTokens: 5 }, undefined).usage).toEqual(counts(40, 5, 7))
  expect(weighClaim({ ...meter, deliveredTokens: 0 }, counts(38, 12, 6)).usage).toEqual(NO_USAGE)
})

test.for([
  ['all that was seen', {}, counts(40, 0, 7), undefined],
  ['less than was seen', {}, counts(30, 9, 3), undefined],
  ['more output', {}, counts(40, 0, 9), { promptTokens: 0, generatedTokens: 2 }],
  ['a longer prompt', {}, counts(45, 0, 7), { promptTokens: 5, generatedTokens: 0 }],
  ['a longer prompt and less output', {}, counts(45, 0, 3), { promptTokens: 5, generatedTokens: 0 }],
  ['more output and a shorter prompt', {}, counts(10, 0, 8), { promptTokens: 0, generatedTokens: 1 }],
  ['more of both', {}, counts(41, 0, 8), { promptTokens: 1, generatedTokens: 1 }],
  [
    'ids without text, signed for',
    { sentTokens: 15 },
    counts(40, 0, 15),
    { promptTokens: 0, generatedTokens: 8 },
  ],
  [
    'ids without text, not signed for',
    { sentTokens: 9 },
    counts(40, 0, 7),
    { promptTokens: 0, generatedTokens: 2 },
  ],
  [
    'a prompt beyond its bytes',
    { promptTokens: 500, budget: 600 },
    counts(500, 0, 7),
    { promptTokens: 400, generatedTokens: 0 },
  ],
  [
    'a prompt beyond what is held',
    { promptTokens: 99 },
    counts(99, 0, 7),
    { promptTokens: 6, generatedTokens: 0 },
  ],
  [
    'a prompt where the answer exhausts what is held',
    { budget: 3 },
    counts(40, 0, 7),
    { promptTokens: 40, generatedTokens: 0 },
  ],
  [
    'an answer of which nothing was delivered',
    { sentTokens: 0, deliveredTokens: 0 },
    counts(40, 0, 7),
    { promptTokens: 0, generatedTokens: 7 },
  ],
] as const)('the excess of a receipt for %s', ([, over, receipt, excess]) => {
  expect(weighClaim({ ...meter, ...over }, receipt).excess).toEqual(excess)
})

test('a Host that says nothing at the end claims nothing in excess', () => {
  const silent = { ...meter, sentTokens: 20, promptTokens: 500 }
  expect(weighClaim(silent, undefined).excess).toBeUndefined()
})

test.for([
  ['both agree', counts(40, 0, 7), counts(40, 0, 7), counts(40, 0, 7)],
  ['part was acknowledged', counts(40, 0, 3), counts(40, 0, 7), counts(40, 0, 3)],
  ['more was acknowledged than claimed', counts(90, 0, 9), counts(40, 0, 7), counts(40, 0, 7)],
  ['the receipt claims a longer prompt', counts(40, 0, 7), counts(90, 0, 7), counts(40, 0, 7)],
  ['the Host knows of more cached tokens', counts(40, 0, 7), counts(40, 30, 7), counts(40, 30, 7)],
  ['the Consumer knows of more cached tokens', counts(40, 30, 7), counts(40, 0, 7), counts(40, 30, 7)],
  ['cached is never more than the prompt', counts(40, 99, 7), counts(30, 0, 7), counts(30, 30, 7)],
  ['nothing was acknowledged', counts(40, 0, 0), counts(40, 0, 7), NO_USAGE],
  ['nothing is claimed', counts(40, 0, 7), counts(40, 0, 0), NO_USAGE],
] as const)('[P5] over a Direct Connection: %s', ([, acknowledged, receipt, usage]) => {
  expect(weighAcknowledged(acknowledged, receipt)).toEqual(usage)
})
