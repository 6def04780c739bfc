import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { DIRECT_CHAT_PATH } from '@daisi/protocol'
import { expect, onTestFinished, test } from 'vitest'
import { DirectConsumer } from '../testing/direct-consumer.ts'
import { DirectSetup } from '../testing/direct-setup.ts'
import { BodyPlaces } from './body-places.ts'
import { DIRECT_LIMITS } from './direct-server.ts'

/** Asks for leave to send a body, and sends none. Resolves with the status line. */
async function announce(
  setup: DirectSetup,
  token: string,
  length: number,
): Promise<{ status: string; socket: Socket }> {
  const { port } = new URL(setup.consumer.endpoint)
  const socket = connect(Number(port), '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  const lines = [
    `POST ${DIRECT_CHAT_PATH} HTTP/1.1`,
    'host: x',
    'expect: 100-continue',
    'content-type: application/json',
    `authorization: DPoP ${token}`,
    `dpop: ${await setup.consumer.proof(token, 'never comes')}`,
    `content-length: ${length}`,
  ]
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  const [chunk] = (await once(socket, 'data')) as [Buffer]
  return { status: chunk.toString().split('\r\n')[0] ?? '', socket }
}

test('[D4] one token has two long bodies on their way at most, and holds nobody up', async () => {
  await using setup = await DirectSetup.start()
  const token = await setup.token()
  for (const status of ['100 Continue', '100 Continue', '503 Service Unavailable'])
    expect((await announce(setup, token, 4_000_000)).status).toBe(`HTTP/1.1 ${status}`)
  const victim = await DirectConsumer.create()
  victim.endpoint = setup.consumer.endpoint
  const own = await setup.token({ cnf: { jkt: victim.thumbprint } })
  // A long one, which is refused for what it says only.
  const answer = await victim.chat(own, JSON.stringify({ x: 'x'.repeat(100_000) }))
  expect([answer.status, await answer.errorCode()]).toEqual([400, 'invalid_request'])
})

test('[D4] when all places of an Orc are taken, requests of usual length are served all the same', async () => {
  await using setup = await DirectSetup.start()
  for (let index = 0; index < 8; index++) {
    const token = await setup.token()
    for (const _ of [1, 2])
      expect((await announce(setup, token, 4_000_000)).status).toBe('HTTP/1.1 100 Continue')
  }
  const token = await setup.token()
  expect((await announce(setup, token, 4_000_000)).status).toBe('HTTP/1.1 503 Service Unavailable')
  const answering = setup.consumer.chat(token, setup.body())
  ;(await setup.engine.next()).start().end()
  expect((await answering).status).toBe(200)
})

test('[D4] a body that does not come is not waited for', async () => {
  await using setup = await DirectSetup.start({ limits: { ...DIRECT_LIMITS, bodyMs: 50 } })
  const token = await setup.token()
  for (const length of [100, 4_000_000, 4_000_000, 4_000_000]) {
    const { socket } = await announce(setup, token, length)
    let text = ''
    for await (const chunk of socket) text += String(chunk)
    expect(text).toMatch(/^HTTP\/1\.1 400 /)
    expect(text).toContain('"code":"invalid_request"')
  }
})

test('[D4] one Orc takes half of the places at most', () => {
  const places = new BodyPlaces()
  const take = (issuer: string, tokenId: number) => places.take({ issuer, tokenId: String(tokenId) })
  const taken = Array.from({ length: 20 }, (_, index) => take('one', index))
  expect(taken.filter((place) => place !== undefined)).toHaveLength(16)
  expect(take('two', 1)).toBeDefined()
  taken[0]?.()
  taken[0]?.()
  expect([take('one', 30), take('one', 31)]).toEqual([expect.any(Function), undefined])
})
