import { describe, expect, test } from 'vitest'
import type { CompletionJob, EngineEvent } from '../engine.ts'
import { events, openText, startServer, textOf } from './testing/server-setup.ts'
import { eventStream, json, type TestRoute, type TestServer } from './testing/test-server.ts'

const models = { object: 'list', data: [{ id: 'coder', object: 'model' }] }
const sampling = { temperature: 0, maxTokens: 40, stop: ['\n\n'], seed: 3 }

function job(differences: Partial<CompletionJob> = {}): CompletionJob {
  return {
    kind: 'completion',
    prompt: 'def add(a, b):',
    sampling,
    continuation: [],
    windowBytes: 100_000,
    ...differences,
  }
}

/** Streams events, or lines, and ends. */
function stream(events: readonly object[], asLines = false): TestRoute {
  return (_, response) => {
    if (!asLines) {
      const send = eventStream(response)
      for (const event of events) send(event)
    } else {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' })
      for (const event of events) response.write(`${JSON.stringify(event)}\n`)
    }
    response.end()
  }
}

const openAi = stream([
  { object: 'text_completion', choices: [{ index: 0, text: ' return', finish_reason: null }] },
  { object: 'text_completion', choices: [{ index: 0, text: ' a + b', finish_reason: null }] },
  { object: 'text_completion', choices: [{ index: 0, text: '', finish_reason: 'length' }] },
  { choices: [], usage: { prompt_tokens: 6, completion_tokens: 2 } },
])
const ollama = stream(
  [
    { model: 'coder', response: ' return', done: false },
    { model: 'coder', response: ' a + b', done: false },
    { model: 'coder', response: '', done: true, done_reason: 'length', prompt_eval_count: 6, eval_count: 2 },
  ],
  true,
)
const infill = stream([
  { index: 0, content: ' return', tokens: [1], stop: false },
  { index: 0, content: ' a + b', tokens: [2], stop: false },
  { index: 0, content: '', stop: true, stop_type: 'limit', tokens_evaluated: 6, tokens_predicted: 2 },
])
const missingInput: TestRoute = ({ body }, response) =>
  'input_prefix' in (body as object) ? infillRoute({ body }, response) : json(response, 400, {})
const infillRoute = infill as (request: { body: unknown }, response: Parameters<typeof json>[0]) => void

async function ask(
  server: TestServer,
  kind: string,
  differences: Partial<CompletionJob> = {},
): Promise<EngineEvent[]> {
  const options = kind === 'openai' ? '#can=completion' : ''
  return events(await openText(server, kind, { options }), job(differences))
}

describe('a text goes on, in the words of each server', () => {
  const common = { prompt: 'def add(a, b):', stream: true }
  const inOpenAi = {
    ...common,
    model: 'coder',
    stream_options: { include_usage: true },
    temperature: 0,
    seed: 3,
    stop: ['\n\n'],
    max_tokens: 40,
  }
  test.each<[string, string, TestRoute, object]>([
    ['openai', 'POST /v1/completions', openAi, inOpenAi],
    ['lmstudio', 'POST /v1/completions', openAi, inOpenAi],
    [
      'vllm',
      'POST /v1/completions',
      openAi,
      { ...inOpenAi, stream_options: { include_usage: true, continuous_usage_stats: true } },
    ],
    ['llama-server', 'POST /v1/completions', openAi, inOpenAi],
    [
      'ollama',
      'POST /api/generate',
      ollama,
      {
        ...common,
        model: 'coder',
        raw: true,
        options: { temperature: 0, seed: 3, stop: ['\n\n'], num_predict: 40 },
      },
    ],
  ])('%s', async (kind, path, route, body) => {
    const server = await startServer({ 'GET /v1/models': models, [path]: route })
    const list = await ask(server, kind)
    expect(textOf(list)).toBe(' return a + b')
    expect(list.at(-1)).toEqual({
      type: 'end',
      finishReason: 'length',
      usage: { promptTokens: 6, cachedTokens: 0, generatedTokens: 2 },
    })
    expect(server.to(path)[0]?.body).toEqual(body)
  })
})

describe('what stands between two texts', () => {
  test('Ollama has a template for it', async () => {
    const server = await startServer({
      'GET /v1/models': models,
      'POST /api/show': { capabilities: ['completion', 'insert'] },
      'POST /api/generate': ollama,
    })
    const list = await ask(server, 'ollama', { suffix: 'print(add(1, 2))' })
    expect(textOf(list)).toBe(' return a + b')
    const body = server.to('POST /api/generate')[0]?.body
    expect(body).toMatchObject({ prompt: 'def add(a, b):', suffix: 'print(add(1, 2))' })
    expect(body).not.toHaveProperty('raw')
  })

  test('llama-server has a route for it', async () => {
    const server = await startServer({ 'GET /v1/models': models, 'POST /infill': missingInput })
    const list = await ask(server, 'llama-server', { suffix: 'print(add(1, 2))' })
    expect(textOf(list)).toBe(' return a + b')
    expect(list.at(-1)).toMatchObject({
      finishReason: 'length',
      usage: { promptTokens: 6, generatedTokens: 2 },
    })
    expect(server.to('POST /infill').at(-1)?.body).toEqual({
      model: 'coder',
      input_prefix: 'def add(a, b):',
      input_suffix: 'print(add(1, 2))',
      stream: true,
      temperature: 0,
      seed: 3,
      stop: ['\n\n'],
      n_predict: 40,
    })
  })

  test.each(['openai', 'vllm', 'lmstudio', 'ollama', 'llama-server'])(
    '%s without it refuses',
    async (kind) => {
      const server = await startServer({ 'GET /v1/models': models, 'POST /v1/completions': openAi })
      const list = await ask(server, kind, { suffix: 'x' })
      expect(list).toMatchObject([{ type: 'refused', refusal: { code: 'unsupported_kind' } }])
    },
  )
})

test('prompts of token ids go to servers that take them, and to no others', async () => {
  const server = await startServer({ 'GET /v1/models': models, 'POST /v1/completions': openAi })
  const prompt = [1, 2, 3]
  expect((await ask(server, 'vllm', { prompt }))[0]).toEqual({
    type: 'start',
    promptTokens: 3 + 2,
    cachedTokens: 0,
  })
  expect(server.to('POST /v1/completions')[0]?.body).toMatchObject({ prompt })
  expect(await ask(server, 'lmstudio', { prompt })).toMatchObject([{ type: 'refused' }])
})

describe('an answer of lines that breaks', () => {
  const first = JSON.stringify({ response: 'ab', done: false })
  test.each([
    ['an error', `${first}\n{"error":"model runner has unexpectedly stopped"}\n`],
    ['no JSON', `${first}\n<html>\n`],
    ['cut off', `${first}\n`],
    ['a line cut off', `${first}\n{"response":"c`],
    ['no UTF-8', Buffer.concat([Buffer.from(`${first}\n`), Buffer.from([0xff, 0x0a])])],
    ['an endless line', `${first}\n${'x'.repeat(600 * 1024)}`],
  ])('%s', async (_, bytes) => {
    const server = await startServer({
      'GET /v1/models': models,
      'POST /api/generate': (_request, response) => void response.writeHead(200).end(bytes),
    })
    const list = await ask(server, 'ollama')
    expect(['failed', 'refused']).toContain(list.at(-1)?.type)
    expect(list.some(({ type }) => type === 'end')).toBe(false)
  })
})
