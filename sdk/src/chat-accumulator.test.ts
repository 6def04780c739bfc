import type { ChatCompletionChunk, ChatDelta } from '@daisi/protocol/consumer'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { ChatAccumulator } from './chat-accumulator.ts'

const usage = {
  prompt_tokens: 1,
  completion_tokens: 2,
  total_tokens: 3,
  prompt_tokens_details: { cached_tokens: 0 },
}
const head = { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm' } as const

function chunk(
  delta: ChatDelta,
  index = 0,
  finish: 'tool_calls' | 'stop' | 'length' | null = null,
): ChatCompletionChunk {
  return { ...head, choices: [{ index, delta, logprobs: null, finish_reason: finish }] }
}

/** A text cut into pieces. */
const pieces = fc.array(fc.string(), { maxLength: 6 })

test('text, thoughts and calls come out whole, however they were cut and mixed', () => {
  fc.assert(
    fc.property(pieces, pieces, fc.array(pieces, { maxLength: 3 }), (text, thoughts, calls) => {
      const answer = new ChatAccumulator()
      answer.add(chunk({ role: 'assistant', content: '' }))
      for (const reasoning_content of thoughts) answer.add(chunk({ reasoning_content }))
      for (const [index] of calls.entries()) {
        const first = {
          index,
          id: `call_${index}`,
          type: 'function',
          function: { name: `f${index}`, arguments: '' },
        } as const
        answer.add(chunk({ tool_calls: [first] }))
      }
      // The pieces of all calls and the text take turns.
      const longest = Math.max(text.length, ...calls.map((call) => call.length))
      for (let at = 0; at < longest; at++) {
        for (const content of text.slice(at, at + 1)) answer.add(chunk({ content }))
        for (const [index, call] of calls.entries())
          for (const piece of call.slice(at, at + 1))
            answer.add(chunk({ tool_calls: [{ index, function: { arguments: piece } }] }))
      }
      answer.add(chunk({}, 0, calls.length > 0 ? 'tool_calls' : 'stop'))
      answer.add({ ...head, choices: [], usage })
      const message = answer.completion()?.choices[0]?.message
      expect(message?.content ?? '').toBe(text.join(''))
      expect(message?.reasoning_content ?? '').toBe(thoughts.join(''))
      expect(message?.tool_calls ?? []).toEqual(
        calls.map((call, index) => ({
          id: `call_${index}`,
          type: 'function',
          function: { name: `f${index}`, arguments: call.join('') },
        })),
      )
    }),
    { seed: 6, numRuns: 200 },
  )
})

test('several choices come out in order', () => {
  const answer = new ChatAccumulator()
  for (const [index, content] of [
    [1, 'b'],
    [0, 'a'],
  ] as const) {
    answer.add(chunk({ content }, index))
    answer.add(chunk({}, index, 'stop'))
  }
  answer.add({ ...head, choices: [], usage })
  expect(answer.completion()?.choices.map(({ message }) => message.content)).toEqual(['a', 'b'])
})

test('a call is taken once, when it is whole', () => {
  const answer = new ChatAccumulator()
  const add = (index: number, text: string): string[] => {
    const id = `call_${index}`
    answer.add(
      chunk({ tool_calls: [{ index, id, type: 'function', function: { name: 'f', arguments: text } }] }),
    )
    return answer.takeCalls().map((call) => `${call.id} ${call.function.arguments}`)
  }
  expect(add(0, '{"a":')).toEqual([])
  expect(add(0, '{}}')).toEqual([])
  expect(add(1, '{')).toEqual(['call_0 {"a":{}}'])
  // Two that take turns: that the next has begun does not make one whole.
  expect(add(2, '{"c":1}')).toEqual([])
  expect(add(1, '}')).toEqual(['call_1 {}'])
  answer.add(chunk({}, 0, 'tool_calls'))
  expect(answer.takeCalls().map(({ id }) => id)).toEqual(['call_2'])
  expect(answer.takeCalls()).toEqual([])
})

test('a call that was cut off is not taken', () => {
  const answer = new ChatAccumulator()
  answer.add(
    chunk({
      tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '{"a' } }],
    }),
  )
  answer.add(chunk({}, 0, 'length'))
  expect(answer.takeCalls()).toEqual([])
})
