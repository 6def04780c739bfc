import type { ChatCompletionChunk, ChatDelta } from '@daisi/protocol/consumer'
import { expect, test } from 'vitest'
import { collect, request } from '../../test/client.ts'
import { FakeHost } from '../../test/fake-host.ts'
import { directTo } from '../../test/wires.ts'
import { Shown } from './shown.ts'

function chunk(delta: unknown): ChatCompletionChunk {
  const choices = [{ index: 0, delta: delta as ChatDelta, logprobs: null, finish_reason: null }]
  return { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices }
}

const piece = (index: unknown, name?: unknown, written?: unknown): object => ({
  tool_calls: [{ index, function: { name, arguments: written } }],
})

test('[F10] text, thoughts and calls count by their bytes, and each call for its syntax and name once', () => {
  const shown = new Shown()
  const deltas = [
    {},
    { content: 'aß' },
    { reasoning_content: 'hm' },
    piece(0, 'sum', ''),
    piece(0, undefined, '{}'),
    // Named again: nothing of it is shown.
    piece(0, 'sum', ''),
    piece(1, 'f', '1'),
    { tool_calls: [] },
  ]
  expect(deltas.map((delta) => shown.bytes(chunk(delta)))).toEqual([0, 3, 2, 67, 2, 0, 66, 0])
})

test.for([
  ['thoughts that are no text', { reasoning_content: ['x'] }],
  ['calls that are no list', { tool_calls: { length: 1 } }],
  ['a call without a number', piece(undefined, 'f', 'x')],
  ['a call beyond all numbers', piece(128, 'f', 'x')],
  ['a call before them', piece(-1, 'f', 'x')],
  ['a name that is no text', piece(0, { x: 'x' }, '')],
  ['arguments that are no text', piece(0, 'f', 7)],
  ['no call', { tool_calls: [null] }],
] as const)('[D6] nobody is shown %s', ([, delta]) => {
  expect(new Shown().bytes(chunk(delta))).toBeUndefined()
})

test.for([
  ['thinks', (text: string) => ({ reasoning_content: text })],
  ['calls', (text: string) => piece(0, text === 'word0 ' ? 'f' : undefined, text)],
] as const)('[D5] [D6] what a model %s at length is acknowledged as its text is', async ([, delta]) => {
  const host = new FakeHost()
  host.words = Array.from({ length: 300 }, (_, index) => `word${index} `)
  host.delta = delta
  const { direct } = await directTo(host, { fallback: false })
  const { usage, choices } = await direct.chat.create(request)
  expect(usage.completion_tokens).toBe(300)
  expect(JSON.stringify(choices[0]?.message)).toContain(host.words.join(''))
  await direct.close()
  expect(host.acknowledgements.at(-1)?.generatedTokens).toBe(300)
})

test('the first piece of a call begins an answer', async () => {
  const host = new FakeHost()
  host.words = ['{', '}']
  host.delta = (text) => piece(0, text === '{' ? 'f' : undefined, text)
  const { direct } = await directTo(host, { fallback: false })
  const calls = (await direct.chat.stream(request)).toolCalls()
  expect(await collect(calls)).toMatchObject([{ function: { name: 'f', arguments: '{}' } }])
})
