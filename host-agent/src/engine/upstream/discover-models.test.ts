import type { ModelOffer } from '@daisi/protocol'
import { describe, expect, test } from 'vitest'
import { silentLogger, spec, startServer } from './testing/server-setup.ts'
import { json, type TestRoute, type TestServer } from './testing/test-server.ts'
import { TextServer } from './text-server.ts'

const signal = new AbortController().signal

async function offersOf(server: TestServer, kind: string, options = ''): Promise<readonly ModelOffer[]> {
  const sources = await textServer(server, kind, options).discover(signal)
  return sources.map(({ offer }) => offer)
}

function textServer(server: TestServer, kind: string, options = ''): TextServer {
  const parsed = spec(`${kind}=${server.url}${options}`)
  if (parsed.type !== 'text') throw new Error('no text server')
  return new TextServer(parsed, silentLogger)
}

function list(...models: readonly object[]): object {
  return { object: 'list', data: models.map((model) => ({ object: 'model', created: 1, ...model })) }
}

test('Ollama: context, kind and size come from its own API; its digests are never a hash', async () => {
  const details = { format: 'gguf', family: 'llama', parameter_size: '8.0B', quantization_level: 'Q4_K_M' }
  const tag = (name: string, size: number, more = {}): object => ({
    name,
    model: name,
    modified_at: '2026-10-01T10:00:00Z',
    size,
    digest: 'a'.repeat(64),
    details,
    ...more,
  })
  const shown: Record<string, object> = {
    'llama3.1:8b': {
      parameters: 'stop "<|eot_id|>"',
      model_info: { 'general.architecture': 'llama', 'llama.context_length': 131_072 },
      capabilities: ['completion', 'tools', 'vision', 'thinking', 'insert'],
    },
    'tiny:latest': { model_info: { 'gemma3.context_length': 2_048 }, capabilities: ['completion'] },
    'set:latest': {
      parameters: 'temperature 0.7\nnum_ctx                        16384',
      capabilities: ['completion'],
    },
    'running:latest': { model_info: { 'llama.context_length': 131_072 }, capabilities: ['completion'] },
    'nomic-embed-text:latest': {
      model_info: { 'nomic-bert.context_length': 2_048 },
      capabilities: ['embedding'],
    },
    'painter:latest': { capabilities: ['image'] },
    'far:cloud': { capabilities: ['completion'] },
    'old:latest': {},
  }
  const names = Object.keys(shown)
  const server = await startServer({
    'GET /v1/models': list(...names.map((id) => ({ id, owned_by: 'library' }))),
    'GET /api/tags': {
      models: [
        tag('llama3.1:8b', 4_920_753_328),
        tag('far:cloud', 384, { remote_host: 'https://ollama.com:443' }),
      ],
    },
    'GET /api/ps': { models: [{ ...tag('running:latest', 1), size_vram: 1, context_length: 32_768 }] },
    'POST /api/show': ({ body }, response) =>
      json(response, 200, shown[(body as { model: string }).model] ?? {}),
  })
  const offers = await offersOf(server, 'ollama')
  expect(offers.map(({ id, contextLength, kinds }) => [id, contextLength, ...kinds])).toEqual([
    ['llama3.1:8b', 4_096, 'chat', 'completion'],
    ['tiny:latest', 2_048, 'chat', 'completion'],
    ['set:latest', 16_384, 'chat', 'completion'],
    ['running:latest', 32_768, 'chat', 'completion'],
    ['nomic-embed-text:latest', 2_048, 'embedding'],
    ['old:latest', 4_096, 'chat', 'completion'],
  ])
  expect(offers[0]).toEqual({
    id: 'llama3.1:8b',
    contextLength: 4_096,
    sizeBytes: 4_920_753_328,
    kinds: ['chat', 'completion'],
    capabilities: ['json-schema', 'penalties', 'seed', 'tools', 'vision', 'reasoning-effort', 'infill'],
  })
  expect(offers.find(({ id }) => id === 'old:latest')?.capabilities).not.toContain('tools')
})

test('LM Studio: what a model was loaded with counts more than what it could have', async () => {
  const known = (id: string, type: string, more = {}): object => ({
    id,
    object: 'model',
    type,
    publisher: 'lmstudio-community',
    arch: 'llama',
    compatibility_type: 'gguf',
    quantization: 'Q4_K_M',
    state: 'not-loaded',
    max_context_length: 131_072,
    ...more,
  })
  const ids = ['llama-3.1-8b', 'qwen2-vl-7b', 'text-embedding-nomic', 'whisper', 'new']
  const server = await startServer({
    'GET /v1/models': list(...ids.map((id) => ({ id, owned_by: 'organization_owner' }))),
    'GET /api/v0/models': {
      object: 'list',
      data: [
        known('llama-3.1-8b', 'llm', {
          state: 'loaded',
          loaded_context_length: 8_192,
          capabilities: ['tool_use'],
        }),
        known('qwen2-vl-7b', 'vlm', { max_context_length: 32_768 }),
        known('text-embedding-nomic', 'embeddings', { max_context_length: 2_048 }),
        known('whisper', 'stt'),
      ],
    },
  })
  const offers = await offersOf(server, 'lmstudio')
  expect(offers.map(({ id, contextLength, kinds }) => [id, contextLength, ...kinds])).toEqual([
    ['llama-3.1-8b', 8_192, 'chat', 'completion'],
    ['qwen2-vl-7b', 32_768, 'chat', 'completion'],
    ['text-embedding-nomic', 2_048, 'embedding'],
    ['new', 4_096, 'chat', 'completion'],
  ])
  expect(offers[0]?.capabilities).toContain('top-k')
  expect(offers[0]?.capabilities).not.toContain('min-p')
  expect(offers[0]?.capabilities).toContain('tools')
  expect(offers[0]?.capabilities).not.toContain('vision')
  expect(offers[1]?.capabilities).toContain('vision')
  expect(offers[1]?.capabilities).not.toContain('tools')
  expect(offers[2]?.capabilities).toEqual([])
})

describe('vLLM', () => {
  const model = (id: string, more = {}): object => ({
    id,
    owned_by: 'vllm',
    root: id,
    parent: null,
    permission: [{ id: 'modelperm-1', object: 'model_permission' }],
    ...more,
  })

  test('serves a model and its adapters, with the context that it was started with', async () => {
    const base = 'meta-llama/Llama-3.1-8B-Instruct'
    const server = await startServer({
      'GET /v1/models': list(
        model(base, { max_model_len: 32_768 }),
        model('sql-adapter', { parent: base, max_model_len: null }),
      ),
    })
    const offers = await offersOf(server, 'vllm')
    expect(offers.map(({ id, contextLength }) => [id, contextLength])).toEqual([
      [base, 32_768],
      ['sql-adapter', 32_768],
    ])
    expect(offers[0]?.capabilities).toEqual([
      'json-schema',
      'top-k',
      'min-p',
      'repeat-penalty',
      'penalties',
      'logit-bias',
      'seed',
    ])
  })

  test('a model that embeds is found out by asking it', async () => {
    const server = await startServer({
      'GET /v1/models': list(model('intfloat/e5-mistral-7b', { max_model_len: 4_096 })),
      'POST /v1/embeddings': { object: 'list', data: [{ object: 'embedding', index: 0, embedding: [0.5] }] },
    })
    expect((await offersOf(server, 'vllm'))[0]?.kinds).toEqual(['embedding'])
  })

  test('one that is still loading is not taken for something it is not', async () => {
    const server = await startServer({
      'GET /v1/models': list(model('m')),
      'POST /v1/embeddings': (_, response) => json(response, 503, {}),
    })
    await expect(offersOf(server, 'vllm')).rejects.toMatchObject({ code: 'rejected', status: 503 })
  })
})

/** What llama-server answers about one model. */
function llamaServer(props: object, infill: TestRoute): Record<string, TestRoute> {
  return {
    'GET /v1/models': list({ id: 'coder', owned_by: 'llamacpp' }),
    'GET /props': { default_generation_settings: { n_ctx: 4_096 }, total_slots: 1, ...props },
    'POST /v1/embeddings': (_, response) => json(response, 501, {}),
    'POST /infill': infill,
  }
}

const missingInput: TestRoute = (_, response) =>
  json(response, 400, { error: { code: 400, message: '"input_prefix" is required' } })
const noTokens: TestRoute = (_, response) =>
  json(response, 501, { error: { code: 501, message: 'Infill is not supported by this model' } })

test('llama-server: what its template knows, its model sees and fills in is told, and nothing else offered', async () => {
  const caps = { supports_tools: true, supports_tool_calls: true, supports_reasoning_effort: true }
  const all = await startServer(
    llamaServer({ chat_template_caps: caps, modalities: { vision: true, audio: false } }, missingInput),
  )
  const [able] = await offersOf(all, 'llama-server')
  expect(able?.capabilities).toEqual(
    expect.arrayContaining(['tools', 'reasoning-effort', 'vision', 'infill']),
  )
  expect(able?.kinds).toEqual(['chat', 'completion'])
  const some = await startServer(
    llamaServer(
      {
        chat_template_caps: { supports_tools: false, supports_tool_calls: true },
        modalities: { vision: false },
      },
      noTokens,
    ),
  )
  const [plain] = await offersOf(some, 'llama-server')
  for (const name of ['tools', 'reasoning-effort', 'vision', 'infill'])
    expect(plain?.capabilities).not.toContain(name)
})

test('llama-server: the context of one slot; the path of the file stays private', async () => {
  const server = await startServer({
    'GET /v1/models': list({
      id: '/home/owner/models/Qwen2.5-7B-Instruct-Q4_K_M.gguf',
      owned_by: 'llamacpp',
      meta: {
        vocab_type: 2,
        n_vocab: 152_064,
        n_ctx_train: 32_768,
        n_params: 7_615_616_512,
        size: 4_677_120_000,
      },
    }),
    'GET /props': {
      default_generation_settings: { id: 0, n_ctx: 8_192, params: { temperature: 0.8 } },
      total_slots: 4,
      model_path: '/home/owner/models/Qwen2.5-7B-Instruct-Q4_K_M.gguf',
    },
    'POST /v1/embeddings': (_, response) =>
      json(response, 501, {
        error: { code: 501, message: 'This server does not support embeddings', type: 'not_supported_error' },
      }),
  })
  const [source] = await textServer(server, 'llama-server').discover(signal)
  expect(source?.offer).toMatchObject({
    id: 'Qwen2.5-7B-Instruct-Q4_K_M',
    contextLength: 8_192,
    sizeBytes: 4_677_120_000,
    kinds: ['chat', 'completion'],
  })
  expect(source?.offer.capabilities).toContain('min-p')
  const engine = await source?.open(() => {}, signal)
  expect(engine?.info.slots).toBe(4)
  await engine?.close()
})

test('an unknown server is offered with little, unless its owner says more', async () => {
  const server = await startServer({
    'GET /v1/models': list(
      { id: 'house-model', owned_by: 'me' },
      { id: 'long', context_length: 65_536 },
      { id: '***' },
    ),
  })
  const offers = await offersOf(server, 'openai')
  expect(offers).toEqual([
    { id: 'house-model', contextLength: 4_096, kinds: ['chat'], capabilities: ['penalties', 'seed'] },
    { id: 'long', contextLength: 65_536, kinds: ['chat'], capabilities: ['penalties', 'seed'] },
  ])
  const able = await offersOf(server, 'openai', '#can=tools,vision,completion')
  expect(able[0]).toMatchObject({
    kinds: ['chat', 'completion'],
    capabilities: ['penalties', 'seed', 'tools', 'vision'],
  })
  const told = await offersOf(server, 'openai', '#context=16384&models=embedding&can=tools,completion')
  expect(told[0]).toEqual({
    id: 'house-model',
    contextLength: 16_384,
    kinds: ['embedding'],
    capabilities: [],
  })
})

test('only the models that the owner names are offered, by either name', async () => {
  const server = await startServer({ 'GET /v1/models': list({ id: 'a' }, { id: 'b' }, { id: 'my c' }) })
  const offers = await offersOf(server, 'openai', '#only=my-c,a,none')
  expect(offers.map(({ id }) => id)).toEqual(['a', 'my-c'])
})

test('at most 64 models of a server are offered', async () => {
  const models = Array.from({ length: 200 }, (_, index) => ({ id: `m${index}` }))
  const server = await startServer({ 'GET /v1/models': list(...models) })
  expect(await offersOf(server, 'openai')).toHaveLength(64)
})
