import { env } from 'cloudflare:workers'
import { expect, test, vi } from 'vitest'
import { call } from './support/orc.ts'
import { chat, events, newScene } from './support/scene.ts'

test.for([
  ['GET', '/', 200],
  ['GET', '/health', 200],
  ['GET', '/docs', 200],
  ['GET', '/login', 200],
  ['GET', '/openapi.json', 200],
  ['OPTIONS', '/v1/chat/completions', 204],
  ['GET', '/v1/models', 401],
  ['GET', '/v1/nowhere', 404],
  ['GET', '/nowhere', 404],
  ['DELETE', '/v1/usage', 405],
  ['POST', '/oauth/token', 400],
  ['GET', '/api/me', 401],
  ['GET', '/host/v1/connect', 426],
] as const)('[A8] %s %s carries a request id', async ([method, path, status]) => {
  const headers = { origin: 'https://app.example', 'access-control-request-method': 'POST' }
  const response = await call(method, path, { headers: method === 'OPTIONS' ? headers : {} })
  expect([response.status, response.headers.get('x-request-id')]).toEqual([
    status,
    expect.stringMatching(/^req_[0-9a-f]{32}$/),
  ])
})

test('[A8] so does a stream, and no two are the same', async () => {
  const scene = await newScene()
  const answer = chat(scene, { stream: true })
  await scene.host.serve(['x'])
  const [stream, other] = [await answer, await call('GET', '/')]
  expect(await events(stream)).toContain('[DONE]')
  expect(stream.headers.get('x-request-id')).toMatch(/^req_/)
  expect(stream.headers.get('x-request-id')).not.toBe(other.headers.get('x-request-id'))
})

test('[A8] what fails is logged under the id that was answered, and the one that its caller gave it', async () => {
  const lines: unknown[] = []
  const log = vi.spyOn(console, 'log').mockImplementation((line: string) => lines.push(JSON.parse(line)))
  try {
    await env.DB.exec('ALTER TABLE accounts RENAME TO accounts_away')
    const token = env.SETUP_TOKEN
    const ask = (id: string): Promise<Response> =>
      call('POST', '/api/setup', { token, body: { name: 'x' }, headers: { 'x-client-request-id': id } })
    const response = await ask('mine-1')
    expect(response.status).toBe(503)
    const requestId = response.headers.get('x-request-id')
    expect(lines).toContainEqual(
      expect.objectContaining({ event: 'request_failed', requestId, clientRequestId: 'mine-1' }),
    )
    lines.length = 0
    await ask('not {"a": "name"}')
    const failures = lines.filter((line) => (line as { event: string }).event === 'request_failed')
    expect(failures).toEqual([expect.not.objectContaining({ clientRequestId: expect.anything() })])
    expect(JSON.stringify(lines)).not.toContain(token)
  } finally {
    log.mockRestore()
    await env.DB.exec('ALTER TABLE accounts_away RENAME TO accounts')
  }
})
