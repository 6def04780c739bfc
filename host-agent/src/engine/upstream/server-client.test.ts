import { describe, expect, test } from 'vitest'
import { listModels } from './model-list.ts'
import { ServerClient } from './server-client.ts'
import { ServerError } from './server-error.ts'
import { startServer } from './testing/server-setup.ts'
import { json, type TestRoute } from './testing/test-server.ts'

const signal = new AbortController().signal

test('the key goes to the server, and only where the owner gave one', async () => {
  const server = await startServer({ 'GET /v1/models': { data: [] } })
  await listModels(new ServerClient(server.url, 'Bearer sk-1'), signal)
  await listModels(new ServerClient(server.url), signal)
  expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer sk-1', undefined])
})

describe('an answer that makes no sense is an error with a code', () => {
  const elsewhere: TestRoute = (_, response) =>
    void response.writeHead(302, { location: 'http://127.0.0.1:9/v1/models' }).end()
  const huge: TestRoute = (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.write('{"data":[],"x":"')
    response.end('x'.repeat(5 * 1024 * 1024))
  }
  test.each<[string, TestRoute, string]>([
    ['a redirect', elsewhere, 'unreachable'],
    ['HTML', (_, response) => void response.end('<html></html>'), 'malformed'],
    ['another JSON', { models: [] }, 'malformed'],
    ['five megabytes', huge, 'malformed'],
    [
      'a promise of five megabytes',
      (_, response) => response.writeHead(200, { 'content-length': 5 * 1024 * 1024 }).flushHeaders(),
      'malformed',
    ],
    ['401', (_, response) => json(response, 401, {}), 'rejected'],
    ['a reset', (_, response) => void response.socket?.resetAndDestroy(), 'unreachable'],
  ])('%s', async (_, route, code) => {
    const server = await startServer({ 'GET /v1/models': route })
    const error: unknown = await listModels(new ServerClient(server.url), signal).catch(
      (thrown: unknown) => thrown,
    )
    expect(error).toBeInstanceOf(ServerError)
    expect(error).toMatchObject({ code })
  })
})
