import type { OutputPart } from '@daisi/protocol'
import { describe, expect, test } from 'vitest'
import type { ChatJob, EngineEvent } from '../engine.ts'
import { chatJob, events, openText, startServer } from './testing/server-setup.ts'
import { chunk, eventStream, type TestRoute, usageChunk } from './testing/test-server.ts'

const CHAT = 'POST /v1/chat/completions'
const models = { object: 'list', data: [{ id: 'model-x', object: 'model', max_model_len: 8_192 }] }
const parameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
const look = { name: 'look', description: 'Looks out of the window', parameters }
const wait = { name: 'wait' }
const CAN = '#can=tools,vision,reasoning-effort'

/** A server that streams these deltas, and ends for this reason. */
function deltas(list: readonly object[], reason = 'tool_calls'): Record<string, TestRoute> {
  return {
    'GET /v1/models': models,
    [CHAT]: (_, response) => {
      const send = eventStream(response)
      for (const delta of list) send({ choices: [{ index: 0, delta, finish_reason: null }] })
      send(chunk(undefined, reason))
      send(usageChunk(20, 30))
      send('[DONE]')
      response.end()
    },
  }
}

function call(
  index: number | undefined,
  id: string | undefined,
  name: string | undefined,
  text: string,
): object {
  const called = { ...(name !== undefined && { name }), arguments: text }
  return {
    tool_calls: [
      {
        ...(index !== undefined && { index }),
        ...(id !== undefined && { id, type: 'function' }),
        function: called,
      },
    ],
  }
}

async function ask(
  routes: Record<string, TestRoute>,
  job: Partial<ChatJob>,
  kind = 'openai',
): Promise<{ list: EngineEvent[]; body: unknown }> {
  const server = await startServer(routes)
  const list = await events(await openText(server, kind, { options: CAN }), chatJob('hi', job))
  return { list, body: server.to(CHAT)[0]?.body }
}

/** All parts, joined as far as they belong together. */
function partsOf(list: readonly EngineEvent[]): OutputPart[] {
  const parts: OutputPart[] = []
  for (const event of list) {
    if (event.type !== 'delta') continue
    for (const part of event.parts ?? [{ type: 'text' as const, text: event.text }]) {
      const last = parts.at(-1)
      if (part.type === 'tool-call') {
        const open = parts.find((other) => other.type === 'tool-call' && other.index === part.index)
        if (open?.type === 'tool-call') open.arguments += part.arguments
        else parts.push({ ...part })
        if (open !== undefined) expect(part.name).toBeUndefined()
      } else if (last?.type === part.type) last.text += part.text
      else parts.push({ ...part })
    }
  }
  return parts
}

test('[F10] thoughts, text and two calls come as parts, numbered in order and named once', async () => {
  const { list } = await ask(
    deltas([
      { role: 'assistant', content: null, reasoning_content: 'Hmm, ' },
      { reasoning: 'the window.' },
      { content: 'Let me look.' },
      call(3, 'call_a', 'look', ''),
      call(3, undefined, undefined, '{"city":'),
      call(7, 'call_b', 'wait', '{}'),
      call(3, undefined, undefined, '"Bern"}'),
    ]),
    { tools: [look, wait] },
  )
  expect(partsOf(list)).toEqual([
    { type: 'reasoning', text: 'Hmm, the window.' },
    { type: 'text', text: 'Let me look.' },
    { type: 'tool-call', index: 0, name: 'look', arguments: '{"city":"Bern"}' },
    { type: 'tool-call', index: 1, name: 'wait', arguments: '{}' },
  ])
  expect(list.at(-1)).toMatchObject({
    finishReason: 'tool-calls',
    usage: { promptTokens: 20, generatedTokens: 7 },
  })
})

describe('[F10] calls are told apart as well as servers do', () => {
  const both = [
    { type: 'tool-call', index: 0, name: 'look', arguments: '{"city":"Bern"}' },
    { type: 'tool-call', index: 1, name: 'look', arguments: '{"city":"Rom"}' },
  ]
  test.each<[string, readonly object[], string]>([
    [
      'by ids, all numbered 0',
      [call(0, 'a', 'look', '{"city":"Bern"}'), call(0, 'b', 'look', '{"city":"Rom"}')],
      'stop',
    ],
    [
      'by ids alone',
      [call(undefined, 'a', 'look', '{"city":"Bern"}'), call(undefined, 'b', 'look', '{"city":"Rom"}')],
      'tool_calls',
    ],
    [
      'by numbers, the name repeated',
      [
        call(0, 'a', 'look', '{"city":'),
        call(0, 'a', 'look', '"Bern"}'),
        call(1, '', 'look', '{"city":"Rom"}'),
      ],
      'tool_calls',
    ],
  ])('%s', async (_, list, reason) => {
    const answer = await ask(deltas(list, reason), { tools: [look] })
    expect(partsOf(answer.list)).toEqual(both)
    expect(answer.list.at(-1)).toMatchObject({ finishReason: 'tool-calls' })
  })
})

describe('[F10] what is no call fails and is never mended', () => {
  test.each<[string, readonly object[], object]>([
    ['no name', [{ content: 'x' }, call(0, 'a', undefined, '{}')], {}],
    ['no such name', [{ content: 'x' }, call(0, 'a', 'rm -rf', '{}')], {}],
    ['another name', [{ content: 'x' }, call(0, 'a', 'look', '{'), call(0, undefined, 'wait', '}')], {}],
    ['arguments that are no JSON', [{ content: 'x' }, call(0, 'a', 'look', '{"city":')], {}],
    ['arguments that are no object', [{ content: 'x' }, call(0, 'a', 'look', '[1]')], {}],
    ['announced, not sent', [{ content: 'x' }], {}],
    ['tools that nobody offered', [{ content: 'x' }, call(0, 'a', 'look', '{}')], { without: true }],
    ['of a wrong type', [{ content: 'x' }, { tool_calls: [{ index: 0, function: { name: 5 } }] }], {}],
    [
      'too many',
      [
        { content: 'x' },
        ...Array.from({ length: 129 }, (_, index) => call(index, `c${index}`, 'wait', '{}')),
      ],
      {},
    ],
  ])('%s', async (_, list, { without = false }: { without?: boolean }) => {
    const job = without ? {} : { tools: [look], sampling: { maxTokens: 1_000, stop: [] } }
    const answer = await ask(deltas(list), job)
    expect(answer.list.at(-1)?.type).toBe('failed')
  })
})

test('a call that was cut off for its length is handed on as it is', async () => {
  const { list } = await ask(deltas([call(0, 'a', 'look', '{"city":"B')], 'length'), { tools: [look] })
  expect(partsOf(list)).toEqual([{ type: 'tool-call', index: 0, name: 'look', arguments: '{"city":"B' }])
  expect(list.at(-1)).toMatchObject({ finishReason: 'length' })
})

test('one call at most: the answer ends before the second, whatever the server does', async () => {
  const calls = [call(0, 'a', 'look', '{"city":"Bern"}'), call(1, 'b', 'wait', '{"for')]
  const { list, body } = await ask(deltas(calls), { tools: [look, wait], parallelToolCalls: false })
  expect(body).toMatchObject({ parallel_tool_calls: false })
  expect(partsOf(list)).toEqual([{ type: 'tool-call', index: 0, name: 'look', arguments: '{"city":"Bern"}' }])
  expect(list.at(-1)).toMatchObject({ type: 'end', finishReason: 'tool-calls' })
})

test('a long thought or argument has as many tokens as it must have', async () => {
  const argument = JSON.stringify({ city: 'x'.repeat(3_000) })
  const { list } = await ask(deltas([{ reasoning: 'y'.repeat(3_000) }, call(0, 'a', 'look', argument)]), {
    tools: [look],
  })
  const tokens = list.reduce((sum, event) => sum + (event.type === 'delta' ? (event.tokenCount ?? 0) : 0), 0)
  expect(tokens).toBe(6)
  expect(partsOf(list)[1]).toMatchObject({ arguments: argument })
})

describe('tools, their results and images are passed on in the words of the server', () => {
  const asOpenAi = [
    { type: 'function', function: look },
    { type: 'function', function: { name: 'wait', parameters: { type: 'object', properties: {} } } },
  ]
  const named = { type: 'function', function: { name: 'wait' } }
  test.each<[string, Partial<ChatJob>, object]>([
    ['openai', { toolChoice: 'auto' }, { tools: asOpenAi, tool_choice: 'auto' }],
    ['vllm', { toolChoice: { name: 'wait' } }, { tools: asOpenAi, tool_choice: named }],
    ['lmstudio', { toolChoice: 'required' }, { tools: asOpenAi, tool_choice: 'required' }],
    ['llama-server', { toolChoice: { name: 'wait' } }, { tools: [asOpenAi[1]], tool_choice: 'required' }],
    [
      'llama-server',
      { tools: [{ ...look, strict: true }] },
      { tools: [{ type: 'function', function: { ...look, strict: true } }] },
    ],
    ['ollama', { reasoningEffort: 'minimal' }, { tools: asOpenAi, reasoning_effort: 'low' }],
    ['openai', { reasoningEffort: 'minimal' }, { reasoning_effort: 'minimal' }],
    ['vllm', { reasoningEffort: 'none' }, { reasoning_effort: 'none' }],
  ])('%s %o', async (kind, job, expected) => {
    const { body } = await ask(deltas([{ content: 'ok' }], 'stop'), { tools: [look, wait], ...job }, kind)
    expect(body).toMatchObject(expected)
  })

  test.each<[string, Partial<ChatJob>]>([
    ['ollama', { toolChoice: 'required' }],
    ['ollama', { toolChoice: { name: 'look' } }],
    ['vllm', { tools: [{ ...look, strict: true }] }],
    ['llama-server', { output: { type: 'json' } }],
  ])('%s refuses %o', async (kind, job) => {
    const { list, body } = await ask(deltas([{ content: 'ok' }], 'stop'), { tools: [look], ...job }, kind)
    expect(list).toMatchObject([{ type: 'refused', refusal: { code: 'unsupported_kind' } }])
    expect(body).toBeUndefined()
  })

  const image = 'data:image/png;base64,iVBORw0KGgo='
  const messages: ChatJob['messages'] = [
    { role: 'user', content: 'What is this?', images: [image] },
    { role: 'user', content: '', images: [image] },
    {
      role: 'assistant',
      content: '',
      reasoning: 'I look.',
      toolCalls: [{ id: 'call_1', name: 'look', arguments: '{"city":"Bern"}' }],
    },
    { role: 'tool', content: 'rain', toolCallId: 'call_1' },
  ]
  const seen = { type: 'image_url', image_url: { url: image } }
  test.each([
    ['openai', {}],
    ['ollama', { reasoning: 'I look.' }],
    ['vllm', { reasoning_content: 'I look.' }],
    ['llama-server', { reasoning_content: 'I look.' }],
  ])('a conversation to %s', async (kind, thought) => {
    const { body } = await ask(deltas([{ content: 'ok' }], 'stop'), { tools: [look], messages }, kind)
    expect((body as { messages: unknown }).messages).toEqual([
      { role: 'user', content: [seen, { type: 'text', text: 'What is this?' }] },
      { role: 'user', content: [seen] },
      {
        role: 'assistant',
        content: '',
        tool_calls: [
          { id: 'call_1', type: 'function', function: { name: 'look', arguments: '{"city":"Bern"}' } },
        ],
        ...thought,
      },
      { role: 'tool', content: 'rain', tool_call_id: 'call_1' },
    ])
  })
})
