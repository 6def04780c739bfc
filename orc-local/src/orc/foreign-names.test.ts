import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'
import { hostname, networkInterfaces } from 'node:os'
import { json, text } from 'node:stream/consumers'
import { expect } from 'vitest'
import { call, test } from '../testing/orc-fixture.ts'
import { builtArtefacts } from './artefacts.ts'
import type { RunningOrc } from './start-orc.ts'

// These run the Worker itself, as it was built, on workerd, which takes a request under any name.

const EVERY_KIND = [
  'GET /health',
  'GET /v1/models',
  'OPTIONS /v1/chat/completions',
  'POST /api/setup',
  'GET /.well-known/jwks.json',
  'POST /oauth/token',
  'GET /login',
  'POST /host/v1/challenge',
  'GET /host/v1/connect',
  'GET /nothing',
]

/** What comes back for a request that names `host`, at the address that `orc` has. */
async function ask(
  orc: Pick<RunningOrc, 'port'>,
  host: string,
  what = 'GET /health',
  headers: Readonly<Record<string, string>> = {},
  address = '127.0.0.1',
): Promise<IncomingMessage> {
  const [method, path] = what.split(' ')
  const asked = request({ host: address, port: orc.port, method, path, headers: { ...headers, host } })
  asked.end()
  const [message]: IncomingMessage[] = await once(asked, 'response')
  if (message === undefined) throw new Error('no answer')
  return message
}

async function statusOf(...args: Parameters<typeof ask>): Promise<number | undefined> {
  const message = await ask(...args)
  message.resume()
  return message.statusCode
}

test('a request under a foreign name is refused, of every kind and also to upgrade', async ({ start }) => {
  const orc = await start(builtArtefacts)
  const foreign = [
    'evil.example',
    `evil.example:${orc.port}`,
    `127.0.0.1.evil.example:${orc.port}`,
    '0.0.0.0',
  ]
  for (const host of foreign)
    for (const what of EVERY_KIND) expect([what, await statusOf(orc, host, what)]).toEqual([what, 421])
  const upgrade = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'sec-websocket-protocol': 'daisi-host.v1',
  }
  expect(await statusOf(orc, 'evil.example', 'GET /host/v1/connect', upgrade)).toBe(421)
  const refusal = await ask(orc, 'evil.example', 'GET /v1/models')
  expect(await json(refusal)).toMatchObject({ error: { code: 'misdirected_request', param: 'Host' } })
  const others = { 'x-forwarded-host': 'localhost', forwarded: 'host=localhost' }
  expect(await statusOf(orc, 'evil.example', 'GET /health', others)).toBe(421)
  expect(await statusOf(orc, 'evil.example', 'GET http://localhost/health')).toBe(421)
})

test('a request without a name is none', async ({ start }) => {
  const orc = await start(builtArtefacts)
  for (const version of ['1.0', '1.1']) {
    const socket = connect(orc.port, '127.0.0.1')
    socket.end(`GET /health HTTP/${version}\r\n\r\n`)
    expect(await text(socket)).not.toMatch(/^HTTP\/1\.1 200/)
  }
})

test('an Orc on all networks answers under every name and address of its machine', async ({ start }) => {
  const orc = await start({ ...builtArtefacts, host: '0.0.0.0' })
  const [label = ''] = hostname().split('.')
  const addresses = Object.values(networkInterfaces())
    .flatMap((entries) => entries ?? [])
    .map(({ family, address }) => (family === 'IPv6' ? `[${address.replace(/%.*/, '')}]` : address))
  for (const name of [
    'localhost',
    'LocalHost',
    hostname(),
    `${label}.local`,
    '127.0.0.1',
    '[::1]',
    ...addresses,
  ])
    expect([name, await statusOf(orc, `${name}:${orc.port}`)]).toEqual([name, 200])
  const lan = addresses.find((address) => !address.startsWith('127.') && !address.startsWith('['))
  if (lan !== undefined) expect(await call({ url: `http://${lan}:${orc.port}` }, '/health')).toBeTruthy()
})

test('one with a port of its own goes by no other, and by the public names that it was given', async ({
  start,
}) => {
  const { port, stop } = await start(builtArtefacts)
  await stop()
  const orc = await start({ ...builtArtefacts, port, publicNames: ['orc.example', 'lab.example:443'] })
  for (const host of [
    `localhost:${port}`,
    `127.0.0.1:${port}`,
    'orc.example',
    'orc.example:9000',
    'lab.example',
  ])
    expect([host, await statusOf(orc, host)]).toEqual([host, 200])
  for (const host of ['localhost', `localhost:${port + 1}`, 'lab.example:8443', 'www.orc.example'])
    expect([host, await statusOf(orc, host)]).toEqual([host, 421])
})

test('over TLS it goes by the names of its certificate too', async ({ start }) => {
  const orc = await start({ ...builtArtefacts, tls: 'self-signed', host: '127.0.0.1' })
  expect(await call(orc, '/health')).toBeTruthy()
  expect(orc.certificate?.names).toContain('localhost')
})
