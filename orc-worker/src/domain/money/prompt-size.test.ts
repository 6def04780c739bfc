import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { chatSize, textSize } from './prompt-size.ts'

const RUNS = { seed: 20_261, numRuns: 300 }

/** Any string of JavaScript, lone halves of surrogate pairs included. */
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(fc.nat({ max: 0xffff })).map((units) => String.fromCharCode(...units)),
)
const conversation = fc.array(
  fc.record({
    role: fc.constant('assistant' as const),
    content: text,
    toolCalls: fc.array(fc.record({ id: fc.constant('c'), name: fc.constant('f'), arguments: text })),
  }),
)

test.for([
  ['no message at all', [], { bytes: 0, estimate: 32, bound: 64 }],
  ['one empty message', [''], { bytes: 0, estimate: 40, bound: 80 }],
  ['bytes, not characters', ['añ€'], { bytes: 6, estimate: 3 + 40, bound: 6 + 80 }],
  ['half a token counts as one', ['a'], { bytes: 1, estimate: 1 + 40, bound: 1 + 80 }],
  ['every message', ['abcd', 'ef'], { bytes: 6, estimate: 3 + 48, bound: 6 + 96 }],
] as const)('[P4] the size of a prompt: %s', ([, contents, size]) => {
  expect(chatSize({ messages: contents.map((content) => ({ role: 'user', content })) })).toEqual(size)
})

test('[P4] tools, calls and images count, with what templates add to them', () => {
  const tools = [{ name: 'f' }]
  const json = JSON.stringify(tools[0]).length
  expect(chatSize({ messages: [], tools })).toEqual({
    bytes: json,
    estimate: Math.ceil(json / 2) + 32 + 128 + 8,
    bound: json * 2 + 64 + 512 + 16,
  })
  const toolCalls = [{ id: 'c', name: 'ab', arguments: '{}' }]
  const messages = [
    { role: 'user' as const, content: '', images: ['data:image/png;base64,AAAA'] },
    { role: 'assistant' as const, content: '', reasoning: 'hm', toolCalls },
  ]
  expect(chatSize({ messages })).toEqual({
    bytes: 6,
    estimate: 3 + 32 + 3 * 8 + 1_024,
    bound: 6 + 64 + 3 * 16 + 4_096,
  })
})

test('[P4] texts without a template: bytes of text, and ids of tokens as they are', () => {
  expect(textSize(['abcd', [1, 2, 3]])).toEqual({ bytes: 7, estimate: 2 + 3 + 4, bound: 7 + 16 })
})

test('the estimate of a prompt is never above its bound', () => {
  fc.assert(
    fc.property(conversation, (messages) => {
      for (const size of [chatSize({ messages }), textSize(messages.map(({ content }) => content))]) {
        expect(Number.isSafeInteger(size.estimate)).toBe(true)
        expect(size.estimate).toBeLessThanOrEqual(size.bound)
        expect(size.bound).toBeGreaterThanOrEqual(size.bytes)
      }
    }),
    RUNS,
  )
})

test('a longer conversation is never a smaller prompt', () => {
  fc.assert(
    fc.property(conversation, conversation, (messages, more) => {
      const [short, long] = [chatSize({ messages }), chatSize({ messages: [...messages, ...more] })]
      expect(long.bytes).toBeGreaterThanOrEqual(short.bytes)
      expect(long.estimate).toBeGreaterThanOrEqual(short.estimate)
      expect(long.bound).toBeGreaterThanOrEqual(short.bound)
    }),
    RUNS,
  )
})
