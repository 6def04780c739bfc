import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { charge, hold, price, promptSize, utf8Length } from './price.ts'

const RUNS = { seed: 20_251, numRuns: 300 }

const tokens = fc.nat({ max: 1_000_000 })
/** Any string of JavaScript, lone halves of surrogate pairs included. */
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(fc.nat({ max: 0xffff })).map((units) => String.fromCharCode(...units)),
)
const conversation = fc.array(fc.record({ role: fc.constant('user' as const), content: text }))

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
  ['no message at all', [], { bytes: 0, estimate: 32, bound: 64 }],
  ['one empty message', [''], { bytes: 0, estimate: 40, bound: 80 }],
  ['bytes, not characters', ['añ€'], { bytes: 6, estimate: 3 + 40, bound: 6 + 80 }],
  ['half a token counts as one', ['a'], { bytes: 1, estimate: 1 + 40, bound: 1 + 80 }],
  ['every message', ['abcd', 'ef'], { bytes: 6, estimate: 3 + 48, bound: 6 + 96 }],
] as const)('the size of a prompt: %s', ([, contents, size]) => {
  expect(promptSize(contents.map((content) => ({ role: 'user', content })))).toEqual(size)
})

test('the estimate of a prompt is never above its bound', () => {
  fc.assert(
    fc.property(conversation, (messages) => {
      const { bytes, estimate, bound } = promptSize(messages)
      expect(Number.isSafeInteger(estimate)).toBe(true)
      expect(estimate).toBeLessThanOrEqual(bound)
      expect(bound).toBeGreaterThanOrEqual(bytes)
    }),
    RUNS,
  )
})

test('a longer conversation is never a smaller prompt', () => {
  fc.assert(
    fc.property(conversation, conversation, (messages, more) => {
      const [short, long] = [promptSize(messages), promptSize([...messages, ...more])]
      expect(long.bytes).toBeGreaterThanOrEqual(short.bytes)
      expect(long.estimate).toBeGreaterThanOrEqual(short.estimate)
      expect(long.bound).toBeGreaterThanOrEqual(short.bound)
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
