import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bringsText, errorCode, post, readStream } from './support/chat.ts'
import type { Host } from './support/host.ts'
import { type Network, startNetwork } from './support/network.ts'
import { slowModel } from './support/slow-model.ts'

/** An answer of this length takes the slow model many seconds. */
const LONG = 3_000

let network: Network
let host: Host

beforeAll(async () => {
  network = await startNetwork()
  // It has no room for a second request, so that one tells whether the first is over.
  host = await network.startedHost({ modelPath: await slowModel(), model: 'slow', slots: 1, queue: 0 })
})
afterAll(() => network?.stop())

/** 200 if the Host has a free slot. */
async function statusOfShortRequest(): Promise<number> {
  return (await post(network, network.consumer, { model: 'slow', max_tokens: 1 })).status
}

test('[A7, J5, P2] leaving a stream stops the Host, frees its slot, and the part is paid', async () => {
  const consumer = await network.newConsumer()
  const before = await network.gained(network.owner)
  const response = await post(network, consumer, { model: 'slow', stream: true, max_tokens: LONG })
  for await (const event of readStream(response)) {
    if (!bringsText(event)) continue
    const rival = await post(network, network.consumer, { model: 'slow', max_tokens: 1 })
    expect([rival.status, await errorCode(rival)]).toEqual([503, 'all_hosts_busy'])
    // Whoever stops reading closes the connection.
    break
  }
  await expect.poll(statusOfShortRequest, { timeout: 5_000 }).toBe(200)
  const paid = await network.paid(consumer)
  expect(paid).toBeGreaterThan(0)
  expect(paid).toBeLessThan(LONG)
  expect((await network.gained(network.owner)) - before).toBeGreaterThanOrEqual(paid)
  await network.expectBalanced()
})

test('[A7] a Consumer whose connection breaks in the middle of a whole answer frees the Host', async () => {
  await leaveWholeRequest('reset')
})

test('[A7] a Consumer that closes its connection before the whole answer frees the Host', async () => {
  await leaveWholeRequest('close')
})

/** Sends a whole request on a socket of its own, leaves once a Host works on it, and expects the work to end early. */
async function leaveWholeRequest(how: 'reset' | 'close'): Promise<void> {
  const consumer = await network.newConsumer()
  await expect.poll(statusOfShortRequest).toBe(200)
  const length = 1_500
  const jobs = host.jobs
  const body = JSON.stringify({
    model: 'slow',
    max_tokens: length,
    temperature: 0,
    messages: [{ role: 'user', content: 'Hello' }],
  })
  const headers = [
    'POST /v1/chat/completions HTTP/1.1',
    `Host: 127.0.0.1:${network.orc.port}`,
    `Authorization: Bearer ${consumer.key.key}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
  ]
  const socket = connect(network.orc.port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write(`${headers.join('\r\n')}\r\n\r\n${body}`)
  await host.tookOn(jobs + 1)
  if (how === 'reset') socket.resetAndDestroy()
  else socket.destroy()
  expect(await network.paid(consumer)).toBeLessThan(length)
  await network.expectBalanced()
}
