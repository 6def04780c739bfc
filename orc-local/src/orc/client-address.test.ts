import { once } from 'node:events'
import { networkInterfaces } from 'node:os'
import { expect } from 'vitest'
import { requestOrc } from '../pinned-https.ts'
import { call, test } from '../testing/orc-fixture.ts'

// Rules about addresses, and rates per address, rest on what workerd says here about the peer of a connection.

const hasIpv6 = Object.values(networkInterfaces()).some((entries) =>
  entries?.some((entry) => entry.address === '::1'),
)

const overIpv4 = { clientIp: expect.stringMatching(/^127\.0\.0\.1:\d+$/) }
const overIpv6 = { clientIp: expect.stringMatching(/^\[::1\]:\d+$/) }
const ipv4OverBoth = { clientIp: expect.stringMatching(/^\[::ffff:127\.0\.0\.1\]:\d+$/) }

for (const tls of [undefined, 'self-signed'] as const) {
  const how = tls === undefined ? 'HTTP' : 'HTTPS'
  const options = tls === undefined ? {} : { tls }

  test(`over ${how}, the peer's IPv4 address and port are in cf.clientIp`, async ({ start }) => {
    const orc = await start(options)
    expect(await call(orc, '/caller')).toMatchObject(overIpv4)
    expect(await call(orc, '/caller-in-object')).toMatchObject(overIpv4)
  })

  test.skipIf(!hasIpv6)(`over ${how}, an IPv6 address stands in brackets`, async ({ start }) => {
    const orc = await start({ ...options, host: '::1' })
    expect(await call(orc, '/caller')).toMatchObject(overIpv6)
  })

  test.skipIf(!hasIpv6)(`over ${how}, a socket for both kinds maps IPv4 into IPv6`, async ({ start }) => {
    const orc = await start({ ...options, host: '::' })
    expect(await call(orc, '/caller')).toMatchObject(overIpv6)
    expect(await call({ ...orc, url: orc.url.replace('[::1]', '127.0.0.1') }, '/caller')).toMatchObject(
      ipv4OverBoth,
    )
  })

  test(`over ${how}, no header of the caller's changes it, and cf-connecting-ip is the caller's own word`, async ({
    start,
  }) => {
    const orc = await start(options)
    const headers = {
      'cf-connecting-ip': '6.6.6.6',
      'x-forwarded-for': '6.6.6.6',
      'x-real-ip': '6.6.6.6',
      forwarded: 'for=6.6.6.6',
      'cf-blob': '{"clientIp":"6.6.6.6:1"}',
      cf: '{"clientIp":"6.6.6.6:1"}',
      'cf-connecting-ipv6': '6::6',
      'true-client-ip': '6.6.6.6',
    }
    const response = await requestOrc(new URL('/caller', orc.url), { headers }, orc.certificate?.pin)
    expect(await response.json()).toMatchObject({ ...overIpv4, header: '6.6.6.6' })
  })
}

test('a WebSocket upgrade has it too, also in a Durable Object', async ({ start }) => {
  const orc = await start()
  const socket = new WebSocket(orc.url.replace('http', 'ws'))
  const [event] = await once(socket, 'message')
  expect(JSON.parse(event.data)).toMatchObject(overIpv4)
  socket.close()
})
