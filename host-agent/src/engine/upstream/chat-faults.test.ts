import type { ServerResponse } from 'node:http'
import { describe, expect, test } from 'vitest'
import type { EngineEvent } from '../engine.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { all, chatJob, events, openText, startServer, textOf } from './testing/server-setup.ts'
import { chunk, eventStream, json, type TestRoute } from './testing/test-server.ts'
import { MOST_EVENT_BYTES } from './sse-events.ts'

const CHAT = 'POST /v1/chat/completions'
const models = { object: 'list', data: [{ id: 'model-x', object: 'model' }] }
const SECRET = 'my secret prompt'

function routes(chat: TestRoute): Record<string, TestRoute> {
  return { 'GET /v1/models': models, [CHAT]: chat }
}

function status(code: number, body: unknown): TestRoute {
  return (_, response) => json(response, code, body)
}

describe('before anything was said another Host can take the job', () => {
  const vllmOverflow = {
    object: 'error',
    message: "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens",
    type: 'BadRequestError',
    code: 400,
  }
  const llamaOverflow = {
    error: {
      code: 400,
      message: 'the request exceeds the available context size',
      type: 'exceed_context_size_error',
      n_prompt_tokens: 9_001,
      n_ctx: 8_192,
    },
  }
  const openAiOverflow = {
    error: { message: SECRET, type: 'invalid_request_error', code: 'context_length_exceeded' },
  }
  test.each<[string, TestRoute, object]>([
    ['429', status(429, { error: { message: 'slow down' } }), { code: 'busy' }],
    ['503', status(503, 'loading'), { code: 'busy' }],
    ['404', status(404, { error: { message: 'model not found' } }), { code: 'model_not_loaded' }],
    ['400', status(400, { error: { message: SECRET } }), { code: 'invalid_payload' }],
    ['422', status(422, { detail: [{ msg: SECRET }] }), { code: 'invalid_payload' }],
    ['401', status(401, { error: 'no' }), { code: 'model_not_loaded' }],
    ['500', status(500, { error: { message: SECRET } }), { code: 'model_not_loaded' }],
    ['vLLM: too long', status(400, vllmOverflow), { code: 'context_length_exceeded', contextLength: 4_096 }],
    [
      'llama-server: too long',
      status(400, llamaOverflow),
      { code: 'context_length_exceeded', promptTokens: 9_001, contextLength: 8_192 },
    ],
    ['OpenAI: too long', status(400, openAiOverflow), { code: 'context_length_exceeded' }],
    [
      'a redirect',
      (_, response) => void response.writeHead(307, { location: '/elsewhere' }).end(),
      { code: 'model_not_loaded' },
    ],
    ['JSON instead of a stream', status(200, { choices: [] }), { code: 'model_not_loaded' }],
    [
      'HTML',
      (_, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
      { code: 'model_not_loaded' },
    ],
    ['a reset', (_, response) => void response.socket?.resetAndDestroy(), { code: 'model_not_loaded' }],
    [
      'a stream of nothing',
      (_, response) => {
        eventStream(response)
        response.end()
      },
      { code: 'model_not_loaded' },
    ],
    [
      'an error as first event',
      (_, response) => void eventStream(response)({ error: { message: SECRET, code: 500 } }),
      { code: 'model_not_loaded' },
    ],
  ])('%s', async (_, route, refusal) => {
    const server = await startServer(routes(route))
    const engine = await openText(server, 'openai', { clock: new ManualClock() })
    const list = await events(engine, chatJob(SECRET))
    expect(list).toMatchObject([{ type: 'refused', refusal }])
    expect(JSON.stringify(list)).not.toContain(SECRET)
  })

  test('a server that says nothing', async () => {
    const server = await startServer(routes(() => {}))
    const list = await events(await openText(server, 'openai', { gapTimeoutMs: 30 }), chatJob('x'))
    expect(list).toMatchObject([{ type: 'refused', refusal: { code: 'model_not_loaded' } }])
    await (
      await server.request(CHAT)
    ).closed
  })
})

describe('after the first words it fails, and the connection is closed', () => {
  const write = (data: string | Buffer) => (response: ServerResponse) => void response.write(data)
  test.each<[string, (response: ServerResponse) => void]>([
    ['no JSON', write('data: {"choices": [\n\n')],
    ['other JSON', write('data: {"hello": 1}\n\n')],
    ['an array', write('data: []\n\n')],
    ['text of a wrong type', write('data: {"choices":[{"delta":{"content":5}}]}\n\n')],
    ['an error', write('data: {"error":{"message":"CUDA out of memory"}}\n\n')],
    ['a stream cut off', (response) => void response.end()],
    ['a reset', (response) => void response.socket?.resetAndDestroy()],
    ['bytes that are no UTF-8', write(Buffer.from([0x64, 0xff, 0xfe, 0x0a]))],
    ['an endless line', write('data: ' + 'x'.repeat(2 * MOST_EVENT_BYTES))],
    ['an endless event', write('data: x\n'.repeat(MOST_EVENT_BYTES / 4))],
    ['giving up', write(`data: ${JSON.stringify(chunk('', 'abort'))}\n\n`)],
  ])('%s', async (_, fault) => {
    const { promise, resolve } = Promise.withResolvers<ServerResponse>()
    const server = await startServer(
      routes((_, response) => {
        eventStream(response)(chunk('ab'))
        resolve(response)
      }),
    )
    const list: EngineEvent[] = []
    for await (const event of (await openText(server)).run(chatJob('x'), new AbortController().signal)) {
      list.push(event)
      if (event.type === 'delta') fault(await promise)
    }
    expect(list.map(({ type }) => type)).toEqual(['start', 'delta', 'failed'])
    expect(textOf(list)).toBe('ab')
    await (
      await server.request(CHAT)
    ).closed
  })

  test('silence', async () => {
    const clock = new ManualClock()
    const server = await startServer(routes((_, response) => void eventStream(response)(chunk('ab'))))
    const engine = await openText(server, 'openai', { clock, gapTimeoutMs: 5_000 })
    const list: EngineEvent[] = []
    for await (const event of engine.run(chatJob('x'), new AbortController().signal)) {
      list.push(event)
      // All that the reader does before it waits for more needs no turn of the loop.
      if (event.type === 'delta') setImmediate(() => clock.advance(5_000))
    }
    expect(list.map(({ type }) => type)).toEqual(['start', 'delta', 'failed'])
    await (
      await server.request(CHAT)
    ).closed
  })
})

test('a stream that ends with its reason but without [DONE] is whole', async () => {
  const server = await startServer(
    routes((_, response) => {
      const send = eventStream(response)
      send(chunk('ab'))
      send(chunk('', 'stop'))
      response.end()
    }),
  )
  const list = await events(await openText(server), chatJob('x'))
  expect(list.at(-1)).toMatchObject({ type: 'end', finishReason: 'stop' })
})

test('a server that takes its time has the job as soon as it did not refuse it for a while', async () => {
  const clock = new ManualClock()
  const server = await startServer(routes(() => {}))
  const abort = new AbortController()
  const run = (await openText(server, 'openai', { clock })).run(chatJob('x'), abort.signal)
  const list = all(run)
  await server.request(CHAT)
  clock.advance(3_000)
  abort.abort()
  expect((await list).map(({ type }) => type)).toEqual(['start', 'end'])
})
