import { describe, expect, test } from 'vitest'
import { AnswerCollector, type AnswerDelta, type AnswerFinish, type StreamEvent } from '../answer.ts'
import type { OutputPart } from '../host/output-part.ts'
import { messageErrorShape, messageEventShape, messageShape } from '../testing/anthropic-shapes.ts'
import { wholeMessage } from './message-answer.ts'
import { messageError } from './message-error.ts'
import { MessageWriter } from './message-writer.ts'

const identity = { id: 'msg_abc', model: 'm', requestId: 'req_abc' }
const usage = { promptTokens: 10, cachedTokens: 4, generatedTokens: 6 }
const call = (index: number, text: string, name?: string): OutputPart => ({
  type: 'tool-call',
  index,
  arguments: text,
  ...(name !== undefined && { name }),
})
const parts: OutputPart[] = [
  { type: 'reasoning', text: 'Hm' },
  { type: 'reasoning', text: '!' },
  { type: 'text', text: 'Let me see' },
  call(0, '{"a"', 'weather'),
  call(0, ':{}}'),
  call(1, '{}', 'time'),
]

function streamed(list: readonly OutputPart[], reason: AnswerFinish['reason']): StreamEvent[] {
  const writer = new MessageWriter(identity)
  const events = [
    ...writer.start(usage),
    ...list.flatMap((part) => writer.delta(0, { type: 'delta', parts: [part] })),
    ...writer.finish(0, { type: 'finish', reason, usage }),
    ...writer.end(),
  ]
  for (const { event, data } of events) expect(messageEventShape.parse(data)).toMatchObject({ type: event })
  return events
}

function whole(list: readonly OutputPart[], reason: AnswerFinish['reason']): unknown {
  const collector = new AnswerCollector()
  const delta: AnswerDelta = { type: 'delta', parts: list }
  collector.add(delta)
  return messageShape.parse(wholeMessage(identity, collector.whole({ type: 'finish', reason, usage })))
}

/** The blocks that a client puts together, each with the text of its deltas, told strictly one after the other. */
function blocksOf(events: readonly StreamEvent[]): [string, string][] {
  const blocks: [string, string][] = []
  let isOpen = false
  for (const { data } of events) {
    const told = messageEventShape.parse(data)
    if (told.type === 'content_block_start') {
      expect([isOpen, told.index]).toEqual([false, blocks.length])
      isOpen = true
      const { content_block: begun } = told
      blocks.push([begun.type === 'tool_use' ? `${begun.name} ${begun.id}` : begun.type, ''])
    } else if (told.type === 'content_block_delta') {
      expect([isOpen, told.index]).toEqual([true, blocks.length - 1])
      const { delta } = told
      const text = 'text' in delta ? delta.text : 'thinking' in delta ? delta.thinking : delta.partial_json
      const last = blocks.at(-1)
      if (last) last[1] += text
    } else if (told.type === 'content_block_stop') isOpen = false
  }
  expect(isOpen).toBe(false)
  return blocks
}

describe('[A13] how an answer is told', () => {
  test('blocks come one after the other, between the start with the prompt and the end with the usage', () => {
    const events = streamed(parts, 'tool-calls')
    expect(blocksOf(events)).toEqual([
      ['thinking', 'Hm!'],
      ['text', 'Let me see'],
      ['weather toolu_abc000', '{"a":{}}'],
      ['time toolu_abc001', '{}'],
    ])
    expect(events.at(0)?.data).toMatchObject({
      message: { usage: { input_tokens: 6, cache_read_input_tokens: 4, output_tokens: 0 } },
    })
    expect(events.slice(-2).map(({ data }) => data)).toMatchObject([
      { delta: { stop_reason: 'tool_use' }, usage: { input_tokens: 6, output_tokens: 6 } },
      { type: 'message_stop' },
    ])
  })

  test('what a Host sends before a call is whole waits for the rest of it', () => {
    const mixed = [
      call(0, '{"a', 'weather'),
      call(1, '{"b"', 'time'),
      { type: 'text', text: 'So' } as const,
      call(1, ':2}'),
      call(0, '":1}'),
      call(0, ' '),
    ]
    expect(blocksOf(streamed(mixed, 'tool-calls'))).toEqual([
      ['weather toolu_abc000', '{"a":1}'],
      ['time toolu_abc001', '{"b":2}'],
      ['text', 'So'],
    ])
    expect(blocksOf(streamed(mixed.slice(0, 3), 'length'))).toEqual([
      ['weather toolu_abc000', '{"a'],
      ['time toolu_abc001', '{"b"'],
      ['text', 'So'],
    ])
  })

  test('a whole answer has the same blocks, and a call that was cut short not at all', () => {
    expect(whole(parts, 'tool-calls')).toMatchObject({
      content: [
        { type: 'thinking', thinking: 'Hm!' },
        { type: 'text', text: 'Let me see' },
        { type: 'tool_use', id: 'toolu_abc000', name: 'weather', input: { a: {} } },
        { type: 'tool_use', id: 'toolu_abc001', name: 'time', input: {} },
      ],
      stop_reason: 'tool_use',
      usage: {
        input_tokens: 6,
        cache_read_input_tokens: 4,
        cache_creation_input_tokens: 0,
        output_tokens: 6,
      },
    })
    expect(whole([call(0, '{"a', 'weather')], 'length')).toMatchObject({
      content: [],
      stop_reason: 'max_tokens',
    })
    expect(whole([{ type: 'text', text: 'x' }], 'stop')).toMatchObject({ stop_reason: 'end_turn' })
  })

  test('[E3] one that cannot go on ends with an error', () => {
    const failure = { code: 'host_lost', status: 502, message: 'The Host was lost.' }
    const [event, ...more] = new MessageWriter(identity).fail(failure)
    expect(event?.event).toBe('error')
    expect(messageEventShape.parse(event?.data)).toMatchObject({
      error: { type: 'api_error', code: 'host_lost' },
      request_id: 'req_abc',
    })
    expect(more).toEqual([])
  })

  test('what waits is counted, and what is told at once is not', () => {
    const writer = new MessageWriter(identity)
    for (const part of [...parts, call(2, '{', 'more')]) writer.delta(0, { type: 'delta', parts: [part] })
    expect(writer.size).toBe(0)
    for (const text of ['told later', 'so is this'])
      writer.delta(0, { type: 'delta', parts: [{ type: 'text', text }] })
    expect(writer.size).toBe('told later'.length + 'so is this'.length + 2 * 64)
    writer.delta(0, { type: 'delta', parts: [call(2, '}')] })
    expect(writer.size).toBe(0)
  })
})

test.for<[number, string]>([
  [400, 'invalid_request_error'],
  [401, 'authentication_error'],
  [402, 'billing_error'],
  [403, 'permission_error'],
  [404, 'not_found_error'],
  [405, 'invalid_request_error'],
  [409, 'conflict_error'],
  [413, 'request_too_large'],
  [422, 'invalid_request_error'],
  [429, 'rate_limit_error'],
  [500, 'api_error'],
  [502, 'api_error'],
  [503, 'overloaded_error'],
  [504, 'timeout_error'],
])('[E3] an error of status %i is a %s', ([status, type]) => {
  const body = messageError({ code: 'x', status, message: 'y' }, 'req_x')
  expect(messageErrorShape.parse(body).error.type).toBe(type)
})
