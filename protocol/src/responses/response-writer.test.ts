import { describe, expect, test } from 'vitest'
import { AnswerCollector, type AnswerDelta, type AnswerFinish, type StreamEvent } from '../answer.ts'
import { responsesRequest } from '../consumer/responses.schema.ts'
import type { ModelResponse } from '../consumer/responses.ts'
import { responseEventShape, responseShape } from '../testing/responses-shapes.ts'
import { wholeResponse } from './response-answer.ts'
import { ResponseWriter } from './response-writer.ts'

const request = responsesRequest.parse({
  model: 'm',
  input: 'Hi',
  tools: [{ type: 'function', name: 'weather' }],
  metadata: { a: 'b' },
})
const identity = { id: 'resp_abc', created: 100, request }
const usage = { promptTokens: 10, cachedTokens: 4, generatedTokens: 6 }
const logprobs = [{ token: 'é', logprob: -0.5, top: [{ token: '\uFFFD', logprob: -1 }] }]
const deltas: AnswerDelta[] = [
  { type: 'delta', parts: [{ type: 'reasoning', text: 'Hm' }] },
  {
    type: 'delta',
    parts: [
      { type: 'reasoning', text: '!' },
      { type: 'text', text: 'é' },
    ],
    logprobs,
  },
  { type: 'delta', parts: [{ type: 'tool-call', index: 0, name: 'weather', arguments: '{"a"' }] },
  { type: 'delta', parts: [{ type: 'tool-call', index: 1, name: 'weather', arguments: '' }] },
  { type: 'delta', parts: [{ type: 'tool-call', index: 0, arguments: ':1}' }] },
  { type: 'delta', parts: [{ type: 'tool-call', index: 1, arguments: '{}' }] },
]

function streamed(parts: readonly AnswerDelta[], reason: AnswerFinish['reason']): StreamEvent[] {
  const writer = new ResponseWriter(identity, () => 101)
  return [
    ...writer.start(),
    ...parts.flatMap((part) => writer.delta(0, part)),
    ...writer.finish(0, { type: 'finish', reason, usage }),
    ...writer.end(),
  ]
}

function whole(parts: readonly AnswerDelta[], reason: AnswerFinish['reason']): ModelResponse {
  const collector = new AnswerCollector()
  for (const part of parts) collector.add(part)
  return wholeResponse(identity, collector.whole({ type: 'finish', reason, usage }), 101)
}

const typesOf = (events: readonly StreamEvent[]): unknown[] => events.map(({ event }) => event)
const dataOf = (event: StreamEvent | undefined): { response: ModelResponse } =>
  event?.data as { response: ModelResponse }

describe('[A12] how an answer is told', () => {
  test('every event has its shape, its name and its number', () => {
    const events = streamed(deltas, 'tool-calls')
    for (const [number, { event, data }] of events.entries())
      expect(responseEventShape.parse(data)).toMatchObject({ type: event, sequence_number: number })
    expect(typesOf(events)).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      'response.reasoning_text.delta',
      'response.reasoning_text.delta',
      'response.reasoning_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.output_item.added',
      'response.function_call_arguments.delta',
      'response.output_item.added',
      'response.function_call_arguments.delta',
      'response.function_call_arguments.delta',
      'response.function_call_arguments.done',
      'response.output_item.done',
      'response.function_call_arguments.done',
      'response.output_item.done',
      'response.completed',
    ])
  })

  test('the last event has the whole answer, as it is told at once', () => {
    for (const reason of ['tool-calls', 'length'] as const) {
      const { response } = dataOf(streamed(deltas, reason).at(-1))
      expect(response).toEqual(whole(deltas, reason))
      expect(responseShape.parse(response)).toMatchObject({
        status: reason === 'length' ? 'incomplete' : 'completed',
        incomplete_details: reason === 'length' ? { reason: 'max_output_tokens' } : null,
        metadata: { a: 'b' },
        output: [
          { type: 'reasoning', content: [{ text: 'Hm!' }], status: 'completed' },
          {
            type: 'message',
            content: [
              {
                text: 'é',
                logprobs: [{ token: 'é', bytes: [195, 169], top_logprobs: [{ token: '\uFFFD', bytes: [] }] }],
              },
            ],
          },
          { type: 'function_call', arguments: '{"a":1}', status: 'completed' },
          {
            type: 'function_call',
            arguments: '{}',
            status: reason === 'length' ? 'incomplete' : 'completed',
          },
        ],
        usage: {
          input_tokens: 10,
          input_tokens_details: { cached_tokens: 4 },
          output_tokens: 6,
          total_tokens: 16,
        },
      })
    }
  })

  test('items are over in their order', () => {
    const events = streamed([...deltas, { type: 'delta', parts: [{ type: 'text', text: 'So' }] }], 'stop')
    const done = events.filter(({ event }) => event === 'response.output_item.done')
    expect(done.map(({ data }) => (data as { output_index: number }).output_index)).toEqual([0, 1, 2, 3, 4])
  })

  test('an answer without any text has an empty one', () => {
    const { response } = dataOf(streamed([], 'stop').at(-1))
    expect(response.output).toMatchObject([{ type: 'message', content: [{ text: '' }] }])
    expect(response).toEqual(whole([], 'stop'))
  })

  test('one that cannot go on ends with an error and the failed response, even before it began', () => {
    const failure = { code: 'host_lost', status: 502, message: 'The Host was lost.' }
    const events = new ResponseWriter(identity, () => 101).fail(failure)
    for (const { data } of events) responseEventShape.parse(data)
    expect(typesOf(events)).toEqual(['response.created', 'response.in_progress', 'error', 'response.failed'])
    expect(dataOf(events.at(-1)).response).toMatchObject({
      status: 'failed',
      error: { code: 'server_error' },
    })
    const writer = new ResponseWriter(identity, () => 101)
    writer.start()
    for (const delta of deltas) writer.delta(0, delta)
    const ended = writer.fail({ ...failure, status: 429 })
    expect(typesOf(ended)).toEqual(['error', 'response.failed'])
    expect(dataOf(ended.at(-1)).response.error?.code).toBe('rate_limit_exceeded')
  })

  test('a piece is not looked at again with each that follows', () => {
    const writer = new ResponseWriter(identity, () => 101)
    let looks = 0
    const entry = {
      get token(): string {
        looks++
        return 'x'
      },
      logprob: -1,
      top: [],
    }
    const parts = [{ type: 'text', text: 'x' }] as const
    writer.delta(0, { type: 'delta', parts, logprobs: [entry] })
    const once = looks
    writer.delta(0, { type: 'delta', parts })
    writer.delta(0, { type: 'delta', parts })
    expect([once > 0, looks]).toEqual([true, once])
  })

  test('what it keeps is counted', () => {
    const writer = new ResponseWriter(identity, () => 101)
    for (const delta of deltas) writer.delta(0, delta)
    const items = 4
    expect(writer.size).toBe('Hm!é{"a":1}{}'.length + 128 + items * 512)
  })
})
