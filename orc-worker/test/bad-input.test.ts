import { MAX_BODY_BYTES } from '@daisi/protocol'
import { expect, test } from 'vitest'
import { balanceOf, call, newAccount, newKey, settle } from './support/orc.ts'
import { chat, errorCode, newScene } from './support/scene.ts'

const good = { model: 'm', messages: [{ role: 'user', content: 'x' }] }

function tool(name: string): object {
  return { type: 'function', function: { name } }
}

function seeing(url: string): object {
  return { role: 'user', content: [{ type: 'image_url', image_url: { url } }] }
}

test.for([
  ['no messages', { model: 'm', messages: [] }, 'invalid_request', 'messages'],
  [
    'a wrong role',
    { model: 'm', messages: [{ role: 'robot', content: 'x' }] },
    'invalid_request',
    'messages.0.role',
  ],
  [
    'a number as content',
    { model: 'm', messages: [{ role: 'user', content: 5 }] },
    'invalid_request',
    'messages.0.content',
  ],
  ['no model', { messages: good.messages }, 'invalid_request', 'model'],
  ['negative max_tokens', { ...good, max_tokens: -1 }, 'invalid_request', 'max_tokens'],
  [
    'zero max_completion_tokens',
    { ...good, max_completion_tokens: 0 },
    'invalid_request',
    'max_completion_tokens',
  ],
  ['huge max_tokens', { ...good, max_tokens: 1e15 }, 'invalid_request', 'max_tokens'],
  ['fractional max_tokens', { ...good, max_tokens: 1.5 }, 'invalid_request', 'max_tokens'],
  ['a hot temperature', { ...good, temperature: 3 }, 'invalid_request', 'temperature'],
  ['text as temperature', { ...good, temperature: 'warm' }, 'invalid_request', 'temperature'],
  ['five stop strings', { ...good, stop: ['a', 'b', 'c', 'd', 'e'] }, 'invalid_request', 'stop'],
  ['nine answers', { ...good, n: 9 }, 'invalid_request', 'n'],
  [
    'a tool without a function',
    { ...good, tools: [{ type: 'function' }] },
    'invalid_request',
    'tools.0.function',
  ],
  [
    'a schema without one',
    { ...good, response_format: { type: 'json_schema' } },
    'invalid_request',
    'response_format.json_schema',
  ],
  [
    'a format of its own',
    { ...good, response_format: { type: 'xml' } },
    'invalid_request',
    'response_format.type',
  ],
  ['likely tokens alone', { ...good, top_logprobs: 2 }, 'invalid_request', 'top_logprobs'],
  [
    'a tool twice',
    { ...good, tools: [tool('f'), tool('g'), tool('f')] },
    'invalid_request',
    'tools.2.function.name',
  ],
  [
    'a tool that is not there',
    { ...good, tools: [tool('f')], tool_choice: tool('g') },
    'invalid_request',
    'tool_choice',
  ],
  ['a call without tools', { ...good, tool_choice: 'required' }, 'invalid_request', 'tool_choice'],
  ['a tool with spaces', { ...good, tools: [tool('a b')] }, 'invalid_request', 'tools.0.function.name'],
  [
    'the result of no call',
    { ...good, messages: [...good.messages, { role: 'tool', tool_call_id: 'c', content: '1' }] },
    'invalid_request',
    'messages.1.tool_call_id',
  ],
  [
    'an image to fetch',
    { ...good, messages: [seeing('https://example.com/a.png')] },
    'invalid_request',
    'messages.0.content.0.image_url.url',
  ],
  [
    'a sound',
    { ...good, messages: [{ role: 'user', content: [{ type: 'input_audio' }] }] },
    'invalid_request',
    'messages.0.content.0.type',
  ],
  ...Object.entries({
    functions: [{ name: 'f' }],
    function_call: { name: 'f' },
    modalities: ['text', 'audio'],
    audio: { voice: 'alloy', format: 'wav' },
    prediction: { type: 'content', content: 'x' },
    web_search_options: {},
    verbosity: 'low',
    service_tier: 'flex',
    store: true,
  }).map(([name, value]) => [name, { ...good, [name]: value }, 'unsupported_parameter', name] as const),
] as const)('[A3] %s is refused by name', async ([, body, code, param]) => {
  const { key } = await newKey(await newAccount('a'))
  const response = await call('POST', '/v1/chat/completions', { token: key, body })
  expect(response.status).toBe(400)
  expect(await response.json()).toMatchObject({ error: { code, param, type: 'invalid_request_error' } })
})

test('harmless values of unserved parameters pass', async () => {
  const scene = await newScene()
  const body = {
    n: 1,
    tools: [],
    tool_choice: 'auto',
    response_format: { type: 'text' },
    logprobs: false,
    presence_penalty: 0,
    user: 'u',
  }
  const answer = chat(scene, body)
  await scene.host.serve(['ok'])
  expect((await answer).status).toBe(200)
})

test('[E1] malformed JSON is answered invalid_json', async () => {
  const { key } = await newKey(await newAccount('a'))
  const response = await call('POST', '/v1/chat/completions', { token: key, body: '{"model": ' })
  expect([response.status, await errorCode(response)]).toEqual([400, 'invalid_json'])
})

test('[A2] a body over the limit is answered 413', async () => {
  const { key } = await newKey(await newAccount('a'))
  const body = JSON.stringify({ ...good, padding: 'x'.repeat(MAX_BODY_BYTES) })
  const response = await call('POST', '/v1/chat/completions', { token: key, body })
  expect([response.status, await errorCode(response)]).toEqual([413, 'body_too_large'])
})

test('an unknown model is answered 503 with the reason and Retry-After', async () => {
  const scene = await newScene()
  const response = await chat({ ...scene, model: 'no-such-model' })
  expect(response.status).toBe(503)
  expect(response.headers.get('retry-after')).toMatch(/^\d+$/)
  expect(await response.json()).toMatchObject({
    error: { code: 'no_host_available', message: expect.stringContaining('no online Host serves it') },
  })
})

test('a prompt longer than the context is answered 400 with both numbers, and costs nothing', async () => {
  const scene = await newScene()
  const answer = chat(scene, { messages: [{ role: 'user', content: 'x'.repeat(6_000) }] })
  const run = await scene.host.receive('run')
  scene.host.send({
    type: 'refused',
    jobId: run.jobId,
    code: 'context_length_exceeded',
    message: 'too long',
    promptTokens: 5000,
    contextLength: 2048,
  })
  const response = await answer
  expect(response.status).toBe(400)
  expect(await response.json()).toMatchObject({
    error: { code: 'context_length_exceeded', message: expect.stringMatching(/5000.*2048/) },
  })
  await settle(scene.key.key)
  const { available, held } = await balanceOf(scene.consumer)
  expect(available + held).toBe(10_000)
})

test('unknown routes and wrong methods say so', async () => {
  const [route, method] = [await call('GET', '/nowhere'), await call('GET', '/v1/chat/completions')]
  expect([route.status, await errorCode(route)]).toEqual([404, 'not_found'])
  expect([method.status, await errorCode(method)]).toEqual([405, 'method_not_allowed'])
})

test('[A8] errors carry a request id, and browsers may read answers', async () => {
  const response = await call('GET', '/v1/models', { headers: { origin: 'https://app.example' } })
  expect(response.headers.get('x-request-id')).toMatch(/^req_/)
  expect(response.headers.get('access-control-allow-origin')).toBe('*')
})
