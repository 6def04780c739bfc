import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { manageApi } from '../orc-local/src/manage-api.ts'
import { bringsText, errorCode, post, readStream, type StreamEvent } from './support/chat.ts'
import { descendants, stillRunning } from './support/processes.ts'
import { type Network, startNetwork } from './support/network.ts'
import { slowModel } from './support/slow-model.ts'

const LONG = 3_000

let network: Network
let modelPath: string

beforeAll(async () => {
  modelPath = await slowModel()
  network = await startNetwork()
})
afterAll(() => network?.stop())

/** Reads a stream; calls `onText` when its first text is there. */
async function readAll(response: Response, onText: () => void): Promise<StreamEvent[]> {
  const events: StreamEvent[] = []
  for await (const event of readStream(response)) {
    if (bringsText(event) && !events.some(bringsText)) onText()
    events.push(event)
  }
  return events
}

test('[A6, P2] a Host killed mid-stream: an error event with its code, no [DONE], the part is paid', async () => {
  await using host = await network.startedHost({ modelPath, model: 'killed' })
  const [consumer, engine] = [await network.newConsumer(), await descendants(host.pid)]
  const before = await network.gained(network.owner)
  const response = await post(network, consumer, { model: 'killed', stream: true, max_tokens: LONG })
  const events = await readAll(response, () => host.signal('SIGKILL'))
  expect(events.at(-1)).toMatchObject({ error: { code: 'host_lost' } })
  expect(events).not.toContain('[DONE]')
  const paid = await network.paid(consumer)
  expect(paid).toBeGreaterThan(0)
  expect(paid).toBeLessThan(LONG)
  expect((await network.gained(network.owner)) - before).toBe(paid)
  await network.expectBalanced()
  // What the agent had started does not outlive it.
  expect(engine).not.toEqual([])
  await expect.poll(() => stillRunning(engine)).toEqual([])
})

test('a Host killed during a whole answer: 502 host_lost', async () => {
  await using host = await network.startedHost({ modelPath, model: 'killed-whole' })
  const consumer = await network.newConsumer()
  const asked = post(network, consumer, { model: 'killed-whole', max_tokens: LONG })
  await host.tookOn(1)
  host.signal('SIGKILL')
  const response = await asked
  expect([response.status, await errorCode(response)]).toEqual([502, 'host_lost'])
  expect(await network.paid(consumer)).toBeLessThan(LONG)
  const after = await post(network, network.consumer, { model: 'killed-whole' })
  expect([after.status, await errorCode(after)]).toEqual([503, 'no_host_available'])
  await network.expectBalanced()
})

test('[H5] a Host that is told to stop finishes its stream, takes nothing new, and exits with 0', async () => {
  await using host = await network.startedHost({ modelPath, model: 'drained' })
  const consumer = await network.newConsumer()
  const body = { model: 'drained', stream: true, max_tokens: 400, stream_options: { include_usage: true } }
  const response = await post(network, consumer, body)
  let refused: Promise<Response> | undefined
  const events = await readAll(response, () => {
    host.signal('SIGTERM')
    refused = host.logged('draining').then(() => post(network, network.consumer, { model: 'drained' }))
  })
  expect(events.at(-1)).toBe('[DONE]')
  expect(events.at(-2)).toMatchObject({ usage: { completion_tokens: 400 } })
  expect((await refused)?.status).toBe(503)
  expect(await host.exited).toEqual({ code: 0, signal: null })
  expect(await network.paid(consumer)).toBeGreaterThanOrEqual(400)
  await network.expectBalanced()
})

test('[C4] a Host that nobody enrolled is refused and exits with 5', async () => {
  await using host = await network.startHost({ stranger: true })
  expect(await host.exited).toEqual({ code: 5, signal: null })
  expect(host.records).toContainEqual(expect.objectContaining({ event: 'fatal', code: 'not_enrolled' }))
})

test('[C4] a Host that is removed exits with 5 and does not get in again', async () => {
  await using host = await network.startedHost({ model: 'removed' })
  const headers = { authorization: `Bearer ${network.owner.token}` }
  await fetch(`${network.url}/api/hosts/${host.hostId}`, { method: 'DELETE', headers })
  expect(await host.exited).toEqual({ code: 5, signal: null })
  expect(host.records).toContainEqual(expect.objectContaining({ event: 'fatal', code: 'revoked' }))
  await using again = await network.startHost({ stateDir: host.stateDir })
  expect((await again.exited).code).toBe(5)
})

test('[C6] of two agents with one key the newer wins; the older exits with 6 and stays away', async () => {
  const original = await network.startedHost({ model: 'twin' })
  // While it runs it replaces files, so that a copy may miss one.
  await original.end('SIGTERM')
  const stateDir = join(original.stateDir, '../twin')
  await cp(original.stateDir, stateDir, { recursive: true })
  await using older = await network.startedHost({ model: 'twin', stateDir: original.stateDir })
  await using newer = await network.startedHost({ model: 'twin', stateDir })
  expect(newer.hostId).toBe(older.hostId)
  expect(await older.exited).toEqual({ code: 6, signal: null })
  expect(older.records).toContainEqual(expect.objectContaining({ event: 'fatal', code: 'superseded' }))
  expect((await post(network, network.consumer, { model: 'twin' })).status).toBe(200)
  const { hosts } = await manageApi(network.url, network.owner.token).get<{
    hosts: { id: string; online: boolean }[]
  }>('/api/hosts')
  expect(hosts).toContainEqual(expect.objectContaining({ id: newer.hostId, online: true }))
  expect(newer.records.filter(({ event }) => event === 'offline')).toEqual([])
})
