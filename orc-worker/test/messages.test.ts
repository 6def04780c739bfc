import { type OutputPart, messageErrorAnswer } from '@daisi/protocol'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  messageErrorShape,
  messageEventShape,
  messageShape,
  tokensCountShape,
} from '@daisi/protocol/testing/anthropic-shapes'
import { ABILITIES, namedEvents, sendPart, serveParts } from './support/answers.ts'
import { audit, balanceOf, call, settle } from './support/orc.ts'
import { type Scene, newScene } from './support/scene.ts'

const able = { offer: { capabilities: [...ABILITIES] } }
const schema = { type: 'object', properties: { at: { type: 'string' } } }
const tool = { name: 'weather', description: 'Tells it', input_schema: schema }
const messages = [{ role: 'user', content: 'Hi' }]

/** As Anthropic's clients of old show their key. */
function send(
  { key, model }: Pick<Scene, 'key' | 'model'>,
  body: Record<string, unknown> = {},
  path = '/v1/messages',
): Promise<Response> {
  const headers = { 'x-api-key': key.key, 'anthropic-version': '2023-06-01', 'anthropic-beta': 'anything' }
  const limit = path === '/v1/messages' ? { max_tokens: 20 } : {}
  return call('POST', path, { headers, body: { model, messages, ...limit, ...body } })
}

async function fault(response: Response): Promise<unknown> {
  const body = messageErrorShape.parse(await response.json())
  // What OpenAPI says of it is what it is.
  expect(messageErrorAnswer.parse(body)).toEqual(body)
  const { error, request_id: id } = body
  expect([response.headers.get('request-id'), response.headers.get('x-request-id')]).toEqual([id, id])
  return [response.status, error.type, error.code, error.param]
}

const called: OutputPart[] = [
  { type: 'reasoning', text: 'Hm' },
  { type: 'text', text: 'Let me see' },
  { type: 'tool-call', index: 0, name: 'weather', arguments: '{"at":' },
  { type: 'tool-call', index: 0, arguments: '"Rome"}' },
]

describe("[A13] Anthropic's Messages API", () => {
  test('what a model thinks, says and calls comes back, and goes to a Host again with the result', async () => {
    const scene = await newScene(able)
    const thinking = { type: 'enabled', budget_tokens: 1_024 }
    const first = send(scene, { system: 'Be brief', tools: [tool], thinking, top_k: 5 })
    const run = await serveParts(scene.host, called, { finishReason: 'tool-calls' })
    expect(run.payload).toMatchObject({
      messages: [
        { role: 'system', content: 'Be brief' },
        { role: 'user', content: 'Hi' },
      ],
      tools: [{ name: 'weather', description: 'Tells it', parameters: schema }],
      reasoningEffort: 'low',
      sampling: { maxTokens: 20, topK: 5 },
    })
    const answer = messageShape.parse(await (await first).json())
    expect(answer).toMatchObject({
      model: scene.model,
      stop_reason: 'tool_use',
      content: [
        { type: 'thinking', thinking: 'Hm' },
        { type: 'text', text: 'Let me see' },
        { type: 'tool_use', name: 'weather', input: { at: 'Rome' } },
      ],
      usage: { input_tokens: 6, cache_read_input_tokens: 4, output_tokens: 4 },
    })
    const use = answer.content[2]
    const id = use?.type === 'tool_use' ? use.id : ''
    const result = { type: 'tool_result', tool_use_id: id, content: [{ type: 'text', text: 'sun' }] }
    const conversation = [...messages, { role: 'assistant', content: answer.content }]
    const second = send(scene, {
      messages: [...conversation, { role: 'user', content: [result] }],
      tools: [tool],
    })
    const again = await serveParts(scene.host, [{ type: 'text', text: 'Sunny' }])
    expect(again.payload).toMatchObject({
      messages: [
        { role: 'user' },
        {
          role: 'assistant',
          content: 'Let me see',
          reasoning: 'Hm',
          toolCalls: [{ id, name: 'weather', arguments: '{"at":"Rome"}' }],
        },
        { role: 'tool', content: 'sun', toolCallId: id },
      ],
    })
    expect(messageShape.parse(await (await second).json())).toMatchObject({ stop_reason: 'end_turn' })
  })

  test('a stream has every event in its shape, from the start with the prompt to the end with the usage', async () => {
    const scene = await newScene(able)
    const answer = send(scene, { stream: true, output_config: { format: { type: 'json_schema', schema } } })
    const run = await serveParts(scene.host, called, { finishReason: 'tool-calls' })
    expect(run.payload).toMatchObject({ output: { type: 'json-schema', schema } })
    const told = await namedEvents(await answer)
    for (const { event, data } of told) expect(messageEventShape.parse(data)).toMatchObject({ type: event })
    expect(told.map(({ event }) => event)).toEqual([
      'message_start',
      'content_block_start',
      'content_block_delta',
      'content_block_stop',
      'content_block_start',
      'content_block_delta',
      'content_block_stop',
      'content_block_start',
      'content_block_delta',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ])
    expect(told.at(0)?.data).toMatchObject({ message: { usage: { input_tokens: 6 } } })
    expect(told.at(-2)?.data).toMatchObject({
      delta: { stop_reason: 'tool_use' },
      usage: { output_tokens: 4 },
    })
  })

  test('a Host counts a prompt for nothing; where none can, that is said', async () => {
    const scene = await newScene(able)
    const counted = send(scene, { tools: [tool] }, '/v1/messages/count_tokens')
    const run = await scene.host.receive('run')
    expect(run.payload).toMatchObject({ countOnly: true, tools: [{ name: 'weather' }] })
    scene.host.accept(run, 7, 7)
    await scene.host.end(run, { promptTokens: 7, cachedTokens: 7, generatedTokens: 0 })
    expect(tokensCountShape.parse(await (await counted).json())).toEqual({ input_tokens: 7 })
    await settle(scene.key.key)
    expect((await balanceOf(scene.owner)).available).toBe(10_000)
    expect(await audit()).toMatchObject({ sum: 0, drifted: 0 })
    const cannot = await newScene()
    expect(await fault(await send(cannot, {}, '/v1/messages/count_tokens'))).toEqual([
      503,
      'overloaded_error',
      'no_host_available',
      null,
    ])
  })
})

describe("[E3] errors have Anthropic's shape", () => {
  test('each class, before the stream and in it', async () => {
    const scene = await newScene()
    const invalid = [400, 'invalid_request_error']
    expect(await fault(await send(scene, { max_tokens: 0 }))).toEqual([
      ...invalid,
      'invalid_request',
      'max_tokens',
    ])
    expect(await fault(await send(scene, { tools: [tool] }))).toEqual([
      ...invalid,
      'unsupported_parameter',
      'tools',
    ])
    expect(await fault(await send(scene, { container: 'x' }))).toEqual([
      ...invalid,
      'unsupported_parameter',
      'container',
    ])
    const unknown = { ...scene, model: 'nobody-serves-this' }
    expect(await fault(await send(unknown))).toEqual([503, 'overloaded_error', 'no_host_available', null])
    expect(
      await fault(await send(scene, { messages: [{ role: 'user', content: 'x'.repeat(5_000_000) }] })),
    ).toEqual([413, 'request_too_large', 'body_too_large', null])
    const headers = { 'x-api-key': 'daisi_sk_made_up' }
    expect(await fault(await call('POST', '/v1/messages', { headers, body: {} }))).toEqual([
      401,
      'authentication_error',
      'invalid_api_key',
      null,
    ])
    expect(await fault(await call('POST', '/v1/messages', { body: {} }))).toEqual([
      401,
      'authentication_error',
      'missing_credentials',
      null,
    ])
    expect(await fault(await call('GET', '/v1/messages'))).toEqual([
      405,
      'invalid_request_error',
      'method_not_allowed',
      null,
    ])
    expect(await fault(await call('GET', '/v1/messages/batches'))).toEqual([
      404,
      'not_found_error',
      'not_found',
      null,
    ])
    const answer = send(scene, { stream: true })
    const run = await scene.host.receive('run')
    scene.host.accept(run)
    sendPart(scene.host, run, 0, { type: 'text', text: 'x' })
    const response = await answer
    scene.host.close()
    const { event, data } = (await namedEvents(response)).at(-1) ?? {}
    expect([event, messageErrorShape.parse(data).error.code]).toEqual(['error', 'host_lost'])
    expect(messageErrorShape.parse(data).request_id).toBe(response.headers.get('request-id'))
  })
})

describe('[A1] a key may come in either header', () => {
  let scene: Scene
  beforeAll(async () => {
    scene = await newScene()
  })

  test.for<[string, (key: string) => Record<string, string>, number]>([
    ['as a Bearer token', (key) => ({ authorization: `Bearer ${key}` }), 200],
    ['in x-api-key', (key) => ({ 'x-api-key': key }), 200],
    ['beside a token of somebody else', (key) => ({ 'x-api-key': key, authorization: 'Bearer other' }), 200],
    [
      'beside a key of somebody else',
      (key) => ({ 'x-api-key': 'sk-other', authorization: `Bearer ${key}` }),
      200,
    ],
    [
      'but of two of ours the Bearer token counts',
      (key) => ({ 'x-api-key': key, authorization: 'Bearer daisi_sk_no' }),
      401,
    ],
    ['and in one piece', (key) => ({ 'x-api-key': `${key} ${key}` }), 401],
  ])('%s', async ([, headersOf, status]) => {
    const response = await call('GET', '/v1/models', { headers: headersOf(scene.key.key) })
    expect(response.status).toBe(status)
  })

  test('but not for what an account token is for', async () => {
    const response = await call('GET', '/api/account', { headers: { 'x-api-key': scene.owner.token } })
    expect(response.status).toBe(401)
  })
})

test("browsers may send what Anthropic's client does, and read the id of the request", async () => {
  const asked = [
    'x-api-key',
    'anthropic-version',
    'anthropic-beta',
    'anthropic-dangerous-direct-browser-access',
    'x-stainless-helper',
  ]
  const headers = {
    origin: 'https://page.test',
    'access-control-request-method': 'POST',
    'access-control-request-headers': asked.join(','),
  }
  const allowed = await call('OPTIONS', '/v1/messages', { headers })
  expect(allowed.headers.get('access-control-allow-headers')?.split(',')).toEqual(
    expect.arrayContaining(asked),
  )
  const { headers: told } = await call('POST', '/v1/messages', {
    headers: { origin: 'https://page.test' },
    body: {},
  })
  expect(told.get('access-control-expose-headers')?.split(',')).toContain('request-id')
})
