import { expect, test } from 'vitest'
import { longArray } from './long-arrays.ts'

const many = (element: unknown): unknown[] => Array.from({ length: 5_000 }, () => element)

test.for<[string, unknown, string | undefined]>([
  ['ids of tokens', { prompt: many(1) }, undefined],
  ['lists of ids', { input: [many(1), many(2)] }, undefined],
  ['ids in a quote', { request: { input: many(1) } }, undefined],
  ['a usual request', { messages: [{ role: 'user', content: 'x' }] }, undefined],
  ['texts', { input: many('x') }, 'input'],
  ['ids where none belong', { messages: [{ content: many(0) }] }, 'messages.0.content'],
  ['objects', { prompt: many({}) }, 'prompt'],
  ['a body that is one', many(null), ''],
])('%s', ([, body, path]) => {
  expect(longArray(body)).toBe(path)
})
