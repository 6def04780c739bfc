import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import type { Engine, EngineEvent } from '../engine.ts'
import { events, silentLogger, spec, startServer } from './testing/server-setup.ts'
import { json, type TestRoute, type TestServer } from './testing/test-server.ts'
import { TextServer } from './text-server.ts'

const EMBED = 'POST /v1/embeddings'
const models = { object: 'list', data: [{ id: 'embedder', object: 'model' }] }

async function openEmbedding(server: TestServer, kind = 'openai'): Promise<Engine> {
  const parsed = spec(`${kind}=${server.url}#models=embedding`)
  if (parsed.type !== 'text') throw new Error('no text server')
  const [source] = await new TextServer(parsed, silentLogger, new ManualClock()).discover(
    new AbortController().signal,
  )
  return source!.open(() => {}, new AbortController().signal)
}

/** A server whose vectors are the length of the input and its place. */
const embed: TestRoute = ({ body }, response) => {
  const { input } = body as { input: string[] }
  const data = input.map((text, index) => ({
    object: 'embedding',
    index,
    embedding: [text.length, index, 0.25],
  }))
  json(response, 200, {
    object: 'list',
    data: data.toReversed(),
    usage: { prompt_tokens: input.length, total_tokens: 1 },
  })
}

function vectors(list: readonly EngineEvent[]): number[][] {
  const results: string[] = []
  let text = ''
  for (const event of list) {
    if (event.type !== 'result') continue
    text += event.text
    if (!event.last) continue
    results.push(text)
    text = ''
  }
  return results.map((base64) => {
    const bytes = Buffer.from(base64, 'base64')
    return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(index * 4))
  })
}

/** Tokens that each result states. */
function tokensOf(list: readonly EngineEvent[]): number[] {
  return list.flatMap((event) => (event.type === 'result' && event.last ? [event.tokenCount] : []))
}

test('[P7] each input has its vector, in order, and states its share of what the server counted', async () => {
  const server = await startServer({ 'GET /v1/models': models, [EMBED]: embed })
  const input = Array.from({ length: 70 }, (_, index) => 'x'.repeat(index + 1))
  const list = await events(await openEmbedding(server), { kind: 'embedding', input, windowBytes: 1e6 })
  expect(vectors(list).map(([length]) => length)).toEqual(input.map((text) => text.length))
  expect(list[0]?.type).toBe('start')
  expect(tokensOf(list)).toHaveLength(70)
  expect(
    tokensOf(list)
      .slice(0, 32)
      .reduce((sum, tokens) => sum + tokens, 0),
  ).toBe(32)
  // Of the same batch, larger inputs have the larger share.
  expect(tokensOf(list)[31]).toBeGreaterThanOrEqual(tokensOf(list)[0]!)
  expect(list.at(-1)).toEqual({
    type: 'end',
    finishReason: 'stop',
    usage: { promptTokens: 0, cachedTokens: 0, generatedTokens: 70 },
  })
  expect(server.to(EMBED).map(({ body }) => (body as { input: string[] }).input.length)).toEqual([32, 32, 6])
})

test('[P7] a server that counts more than there can be is not believed', async () => {
  const answer = {
    data: [0, 1].map((index) => ({ index, embedding: [1] })),
    usage: { prompt_tokens: 1_000_000 },
  }
  const server = await startServer({ 'GET /v1/models': models, [EMBED]: answer })
  const job = { kind: 'embedding' as const, input: ['four', 'four'], windowBytes: 1e6 }
  const list = await events(await openEmbedding(server), job)
  const [start] = list
  const most = start?.type === 'start' ? start.promptTokens : 0
  expect(tokensOf(list)).toEqual([most / 2, most / 2])
})

test('ids of tokens are passed on where the server takes them, and else refused', async () => {
  const server = await startServer({ 'GET /v1/models': models, [EMBED]: embed })
  const job = { kind: 'embedding' as const, input: ['text', [1, 2, 3]], windowBytes: 1e6 }
  expect(await events(await openEmbedding(server, 'vllm'), job)).toMatchObject([
    { type: 'start' },
    { type: 'result' },
    { type: 'result' },
    { type: 'end' },
  ])
  expect((await server.request(EMBED)).body).toMatchObject({ input: ['text', [1, 2, 3]] })
  const refused = await events(await openEmbedding(server), job)
  expect(refused).toMatchObject([{ type: 'refused', refusal: { code: 'unsupported_kind' } }])
})

test('vectors in base64 are taken too, and long ones go in parts within the window', async () => {
  const numbers = Float32Array.from({ length: 16_384 }, (_, index) => index / 7)
  const embedding = Buffer.from(numbers.buffer).toString('base64')
  const server = await startServer({ 'GET /v1/models': models, [EMBED]: { data: [{ index: 0, embedding }] } })
  const engine = await openEmbedding(server)
  const run = engine.run(
    { kind: 'embedding', input: ['a'], windowBytes: 40_000 },
    new AbortController().signal,
  )
  const list: EngineEvent[] = []
  for await (const event of run) {
    list.push(event)
    if (event.type === 'result') {
      expect(event.text.length).toBeLessThanOrEqual(32 * 1024)
      run.grant(10_000)
    }
  }
  expect(vectors(list)).toEqual([[...numbers]])
  expect(list.at(-1)).toMatchObject({ type: 'end', usage: { promptTokens: 0 } })
})

describe('an answer that is not one vector for each input is refused', () => {
  test.each<[string, object]>([
    ['too few', { data: [] }],
    [
      'too many',
      {
        data: [
          { index: 0, embedding: [1] },
          { index: 1, embedding: [1] },
        ],
      },
    ],
    ['no numbers', { data: [{ index: 0, embedding: ['a'] }] }],
    ['broken base64', { data: [{ index: 0, embedding: 'AAA' }] }],
    ['not a number', { data: [{ index: 0, embedding: 'AADAfw==' }] }],
    ['empty', { data: [{ index: 0, embedding: [] }] }],
    ['nothing', {}],
  ])('%s', async (_, answer) => {
    const server = await startServer({ 'GET /v1/models': models, [EMBED]: answer })
    const list = await events(await openEmbedding(server), {
      kind: 'embedding',
      input: ['a'],
      windowBytes: 1e6,
    })
    expect(list).toMatchObject([{ type: 'refused', refusal: { code: 'model_not_loaded' } }])
  })
})

test('an aborted job asks for no more', async () => {
  const server = await startServer({ 'GET /v1/models': models, [EMBED]: embed })
  const abort = new AbortController()
  const input = Array.from({ length: 64 }, () => 'x')
  const run = (await openEmbedding(server)).run({ kind: 'embedding', input, windowBytes: 100 }, abort.signal)
  let last: EngineEvent | undefined
  for await (const event of run) {
    last = event
    if (event.type === 'result') abort.abort()
  }
  expect(last).toMatchObject({ type: 'end', finishReason: 'cancelled' })
  expect(server.to(EMBED)).toHaveLength(1)
})
