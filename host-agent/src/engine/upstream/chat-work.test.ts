import { FRAME_HEADER_BYTES, type Sampling } from '@daisi/protocol'
import { describe, expect, test } from 'vitest'
import { chatJob, events, openText, startServer, textOf } from './testing/server-setup.ts'
import { chatRoute, chunk, eventStream, type TestRoute, usageChunk } from './testing/test-server.ts'

const CHAT = 'POST /v1/chat/completions'
const models = { object: 'list', data: [{ id: 'model-x', object: 'model', max_model_len: 8_192 }] }

const PIXEL = 'data:image/png;base64,iVBORw0KGgo='

function routes(chat: TestRoute): Record<string, TestRoute> {
  return { 'GET /v1/models': models, [CHAT]: chat }
}

const everything: Sampling = {
  temperature: 0.5,
  topP: 0.9,
  topK: 0,
  minP: 0.05,
  repeatPenalty: 1.1,
  frequencyPenalty: 0.2,
  presencePenalty: -0.2,
  logitBias: { '17': -100 },
  seed: -1,
  maxTokens: 50,
  stop: ['END'],
}

test('an answer is streamed, counted by chunks, and ends with what the server counted', async () => {
  const server = await startServer(routes(chatRoute(['Hel', 'lo', '!'], usageChunk(12, 3, 4))))
  const list = await events(await openText(server), chatJob('Say hello to me, please'))
  expect(list[0]).toEqual({ type: 'start', promptTokens: 12 + 32 + 8, cachedTokens: 0 })
  expect(textOf(list)).toBe('Hello!')
  const counted = list.reduce((sum, event) => sum + (event.type === 'delta' ? (event.tokenCount ?? 0) : 0), 0)
  expect(counted).toBe(3)
  expect(list.every((event) => event.type !== 'delta' || event.tokenIds.length === 0)).toBe(true)
  expect(list.at(-1)).toEqual({
    type: 'end',
    finishReason: 'stop',
    usage: { promptTokens: 12, cachedTokens: 4, generatedTokens: 3 },
  })
})

describe('each kind of server is asked in its own words', () => {
  const common = {
    model: 'model-x',
    messages: [{ role: 'user', content: 'hi' }],
    stream: true,
    stream_options: { include_usage: true },
    temperature: 0.5,
    top_p: 0.9,
    frequency_penalty: 0.2,
    presence_penalty: -0.2,
    seed: 2_147_483_646,
    max_tokens: 50,
    stop: ['END'],
  }
  const schema = { type: 'object', properties: { a: { type: 'integer' } }, required: ['a'] }
  const asSchema = (of: object): object => ({
    response_format: { type: 'json_schema', json_schema: { name: 'answer', strict: true, schema: of } },
  })
  const { topK, minP: _minP, repeatPenalty, logitBias, ...plain } = everything

  test.each([
    ['openai', plain, undefined, {}],
    ['ollama', plain, { type: 'json' as const }, { response_format: { type: 'json_object' } }],
    ['ollama', plain, { type: 'json-schema' as const, schema }, asSchema(schema)],
    [
      'lmstudio',
      { ...plain, topK, repeatPenalty, logitBias },
      { type: 'json' as const },
      { top_k: 0, repeat_penalty: 1.1, logit_bias: { '17': -100 }, ...asSchema({ type: 'object' }) },
    ],
    [
      'vllm',
      everything,
      { type: 'json-schema' as const, schema },
      {
        top_k: -1,
        min_p: 0.05,
        repetition_penalty: 1.1,
        logit_bias: { '17': -100 },
        ...asSchema(schema),
        stream_options: { include_usage: true, continuous_usage_stats: true },
      },
    ],
    [
      'llama-server',
      everything,
      { type: 'json' as const },
      {
        top_k: 0,
        min_p: 0.05,
        repeat_penalty: 1.1,
        repeat_last_n: 64,
        logit_bias: [[17, -100]],
        response_format: { type: 'json_object' },
      },
    ],
  ])('%s', async (kind, sampling, output, differences) => {
    const server = await startServer(routes(chatRoute(['ok'])))
    const engine = await openText(server, kind)
    const job = chatJob('hi', { sampling, ...(output && { output }) })
    expect((await events(engine, job)).at(-1)).toMatchObject({ type: 'end' })
    expect((await server.request(CHAT)).body).toEqual({ ...common, ...differences })
  })
})

describe('what a server cannot do is refused and not left out', () => {
  test.each([
    ['openai', { continuation: [1, 2] }],
    ['vllm', { logprobs: 3 }],
    ['openai', { output: { type: 'json' as const } }],
    ['vllm', { output: { type: 'grammar' as const, gbnf: 'root ::= "a"' } }],
    ['llama-server', { output: { type: 'grammar' as const, gbnf: 'root ::= "a"' } }],
    ['ollama', { sampling: { maxTokens: 9, stop: [], topK: 40 } }],
    ['ollama', { sampling: { maxTokens: 9, stop: [], minP: 0.1 } }],
    ['ollama', { sampling: { maxTokens: 9, stop: [], repeatPenalty: 1 } }],
    ['ollama', { sampling: { maxTokens: 9, stop: [], logitBias: { '1': 1 } } }],
    ['lmstudio', { sampling: { maxTokens: 9, stop: [], minP: 0.1 } }],
    ['vllm', { tools: [{ name: 'look' }] }],
    ['openai', { messages: [{ role: 'tool' as const, content: '4', toolCallId: 'a' }] }],
    ['vllm', { reasoningEffort: 'low' as const }],
    ['openai', { messages: [{ role: 'user' as const, content: 'x', images: [PIXEL] }] }],
    ['vllm', { countOnly: true as const }],
  ])('%s %o', async (kind, differences) => {
    const server = await startServer(routes(chatRoute(['no'])))
    const list = await events(await openText(server, kind), chatJob('hi', differences))
    expect(list).toMatchObject([{ type: 'refused', refusal: { code: 'unsupported_kind' } }])
    expect(server.to(CHAT)).toEqual([])
  })

  test('other kinds of work', async () => {
    const server = await startServer(routes(chatRoute(['no'])))
    const list = await events(await openText(server), { kind: 'embedding', input: ['a'], windowBytes: 1_000 })
    expect(list).toMatchObject([{ type: 'refused', refusal: { code: 'unsupported_kind' } }])
  })
})

describe('usage is believed as far as it can be true', () => {
  test.each([
    [
      'more than was sent',
      usageChunk(9_999, 9_999),
      { promptTokens: 41, cachedTokens: 0, generatedTokens: 2 },
    ],
    [
      'more cached than there is',
      usageChunk(5, 2, 900),
      { promptTokens: 5, cachedTokens: 5, generatedTokens: 2 },
    ],
    ['fewer tokens than chunks', usageChunk(5, 1), { promptTokens: 5, cachedTokens: 0, generatedTokens: 1 }],
    ['none', { choices: [] }, { promptTokens: 0, cachedTokens: 0, generatedTokens: 2 }],
    [
      'negative numbers',
      { choices: [], usage: { prompt_tokens: -5, completion_tokens: 1e99 } },
      { promptTokens: 0, cachedTokens: 0, generatedTokens: 2 },
    ],
  ])('%s', async (_, usage, expected) => {
    const server = await startServer(routes(chatRoute(['a', 'b'], usage)))
    const list = await events(await openText(server), chatJob('x'))
    expect(list.at(-1)).toEqual({ type: 'end', finishReason: 'stop', usage: expected })
  })
})

test('empty chunks and other choices are no part of the answer', async () => {
  const server = await startServer(
    routes((_, response) => {
      const send = eventStream(response)
      send({ choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }] })
      send({ choices: [{ index: 0, delta: { reasoning_content: '', reasoning: null, tool_calls: null } }] })
      send({ choices: [{ index: 1, delta: { content: 'other' } }] })
      send(chunk('yes'))
      response.write(': keep-alive\n\n')
      send(chunk('', 'length'))
      send('[DONE]')
      response.end()
    }),
  )
  const list = await events(await openText(server), chatJob('x'))
  expect(textOf(list)).toBe('yes')
  expect(list.at(-1)).toMatchObject({ finishReason: 'length', usage: { generatedTokens: 1 } })
})

test('characters that arrive in two parts stay whole', async () => {
  const bytes = Buffer.from(`data: ${JSON.stringify(chunk('grün 🌳', 'stop'))}\n\ndata: [DONE]\n\n`)
  const cut = bytes.indexOf(Buffer.from('🌳')) + 2
  const server = await startServer(
    routes((_, response) => {
      eventStream(response)
      response.write(bytes.subarray(0, cut), () => response.end(bytes.subarray(cut)))
    }),
  )
  expect(textOf(await events(await openText(server), chatJob('x')))).toBe('grün 🌳')
})

test('a long chunk has as many tokens as it must have, and no frame tears a character apart', async () => {
  const text = '🌳'.repeat(40_000)
  const server = await startServer(routes(chatRoute([text], { choices: [] })))
  const job = chatJob('x', { sampling: { maxTokens: 1_000, stop: [] } })
  const list = await events(await openText(server), job)
  expect(textOf(list)).toBe(text)
  const deltas = list.flatMap((event) => (event.type === 'delta' ? [event] : []))
  expect(deltas.length).toBeGreaterThan(1)
  for (const { text, tokenCount = 0 } of deltas) {
    expect(text.isWellFormed()).toBe(true)
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(64 * 1024 - FRAME_HEADER_BYTES)
    expect(text.length).toBeLessThanOrEqual(tokenCount * 1_024)
  }
})

test('a server that goes on beyond the limit is cut off there', async () => {
  const server = await startServer(
    routes((_, response) => {
      const send = eventStream(response)
      for (let index = 0; index < 10; index++) send(chunk('a'))
    }),
  )
  const job = chatJob('x', { sampling: { maxTokens: 4, stop: [] } })
  const list = await events(await openText(server), job)
  expect(textOf(list)).toBe('aaaa')
  expect(list.at(-1)).toMatchObject({ finishReason: 'length', usage: { generatedTokens: 4 } })
  await (
    await server.request(CHAT)
  ).closed
})

test('a strict server gets no limit that might not fit beside the prompt', async () => {
  const server = await startServer(routes(chatRoute(['a'])))
  const job = chatJob('x'.repeat(4_000), { sampling: { maxTokens: 8_000, stop: [] } })
  await events(await openText(server, 'vllm'), job)
  expect((await server.request(CHAT)).body).not.toHaveProperty('max_tokens')
})

test('a server that would cut a long prompt is not given it', async () => {
  const server = await startServer({
    ...routes(chatRoute(['a'])),
    'POST /api/show': { parameters: 'num_ctx 512' },
  })
  const list = await events(await openText(server, 'ollama'), chatJob('x'.repeat(10_000)))
  expect(list).toMatchObject([
    { type: 'refused', refusal: { code: 'context_length_exceeded', contextLength: 512 } },
  ])
})
