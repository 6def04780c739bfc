import { once } from 'node:events'
import { readFile, readdir } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { call, test } from '../testing/orc-fixture.ts'

/** A server on loopback: its URL, and how many connections it has had. */
async function listener(): Promise<{ readonly url: string; readonly connections: () => number }> {
  let connections = 0
  const server = createServer((_request, response) => void response.end('"hello"'))
  server.on('connection', () => connections++)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return { url: `http://localhost:${port}`, connections: () => connections }
}

test('a private Orc contacts nothing: no address is reached, and no name is even looked up', async ({
  start,
}) => {
  const { url, connections } = await listener()
  const orc = await start({ isPrivate: true, outbound: ['public', 'private'] })
  for (const target of [
    url,
    url.replace('localhost', '127.0.0.1'),
    'https://name.invalid/',
    'http://192.0.2.1/',
  ])
    // The refusal is the configured one, and not that of a network that was asked.
    expect(await call(orc, '/ask', { url: target })).toMatchObject({
      message: 'This Orc contacts nothing outside.',
    })
  expect(connections()).toBe(0)
})

test('others contact public addresses only, unless they are told', async ({ start }) => {
  const { url, connections } = await listener()
  const usual = await start()
  expect(await call(usual, '/ask', { url })).toMatchObject({
    message: expect.stringContaining('internal error'),
  })
  expect(connections()).toBe(0)
  await usual.stop()
  expect(await call(await start({ outbound: ['private'] }), '/ask', { url })).toBe('"hello"')
  expect(connections()).toBe(1)
})

test('a private Orc tells its Worker whom to serve, whatever else it was told', async ({ start }) => {
  const orc = await start({ isPrivate: true, vars: { SIGN_UP: 'open', ALLOWED_ADDRESSES: '' } })
  expect(await call(orc, '/private')).toMatchObject({
    addresses:
      '127.0.0.0/8,::1/128,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7,169.254.0.0/16,fe80::/10',
    signUp: 'invited',
  })
})

test('optional secrets reach the Worker and no file; without them nothing is bound', async ({
  start,
  options,
}) => {
  const first = await start({ secrets: { EMAIL_TOKEN: 'token-for-mail', GITHUB_CLIENT_SECRET: '' } })
  expect(await call(first, '/private')).toMatchObject({ token: 'token-for-mail', github: null })
  for (const name of await readdir(options.stateDir)) {
    if (name !== 'do')
      expect(await readFile(join(options.stateDir, name), 'utf8')).not.toContain('token-for-mail')
  }
  await first.stop()
  expect(await call(await start(), '/private')).toMatchObject({
    token: null,
    github: null,
    signUp: 'invited',
  })
})
