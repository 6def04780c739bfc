import type { EnrolmentCreated } from '@daisi/protocol'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { manageApi } from '../orc-local/src/manage-api.ts'
import { bringsText, errorCode, post, readStream } from './support/chat.ts'
import { emptyFolder } from './support/demo.ts'
import { goldenConversations } from './support/golden.ts'
import { Host } from './support/host.ts'
import { type Network, startNetwork } from './support/network.ts'
import { RecordingProxy } from './support/recording-proxy.ts'
import { slowModel } from './support/slow-model.ts'

const LONG = 2_000
const PATIENT = { timeout: 15_000 }

/** Two Orcs that know nothing of each other, and a recorded way to each. */
let a: Network
let b: Network
let ways: readonly [RecordingProxy, RecordingProxy]

beforeAll(async () => {
  ;[a, b] = await Promise.all([startNetwork(), startNetwork()])
  ways = [await RecordingProxy.start(a.orc.port), await RecordingProxy.start(b.orc.port)]
})
afterAll(async () => {
  await Promise.all([a?.stop(), b?.stop()])
  for (const way of ways ?? []) await way[Symbol.asyncDispose]()
})

/** Starts a Host that serves both, and waits until both know it. */
async function startHost(settings: Partial<ConstructorParameters<typeof Host>[0]> = {}): Promise<Host> {
  const tokens = settings.stateDir === undefined ? await Promise.all([a, b].map(enrolmentToken)) : undefined
  const stateDir = settings.stateDir ?? (await emptyFolder())
  const orcUrl = ways.map(({ url }) => url).join(',')
  const host = new Host({ orcUrl, enrolmentToken: tokens?.join(','), ...settings, stateDir })
  await host.logged('online', 2)
  return host
}

async function enrolmentToken({ url, owner }: Network): Promise<string> {
  const { token } = await manageApi(url, owner.token).post<EnrolmentCreated>('/api/host-enrolments', {})
  return token
}

/** Free slots, as the Host last told each Orc after its greeting. */
function lastToldSlots(): readonly (number | undefined)[] {
  return ways.map(({ sentMessages }) => {
    const last = sentMessages.findLast((text) => text.startsWith('{"type":"status"'))
    return last === undefined ? undefined : (JSON.parse(last) as { freeSlots: number }).freeSlots
  })
}

async function removeHost({ url, owner }: Network, host: Host): Promise<void> {
  const headers = { authorization: `Bearer ${owner.token}` }
  const response = await fetch(`${url}/api/hosts/${host.hostId}`, { method: 'DELETE', headers })
  expect(response.status).toBe(204)
}

test('one Host serves both, with one pool of slots of which both are told, and each pays by itself', async () => {
  await using host = await startHost({ modelPath: await slowModel(), model: 'slow', slots: 1, queue: 1 })
  const [ofA, ofB] = [await a.newConsumer(), await b.newConsumer()]
  const leave = new AbortController()
  const long = await post(a, ofA, { model: 'slow', stream: true, max_tokens: LONG }, { signal: leave.signal })
  for await (const event of readStream(long)) {
    if (!bringsText(event)) continue
    // The only slot is taken: one request over the other Orc waits for it, the next is turned away.
    const jobs = host.jobs
    const waiting = post(b, ofB, { model: 'slow', max_tokens: 5 })
    await host.tookOn(jobs + 1)
    const rival = await post(b, ofB, { model: 'slow', max_tokens: 5 })
    expect([rival.status, await errorCode(rival)]).toEqual([503, 'all_hosts_busy'])
    await expect.poll(lastToldSlots, PATIENT).toEqual([0, 0])
    leave.abort()
    const answer = await waiting
    expect(answer.status).toBe(200)
    expect(await answer.json()).toMatchObject({ usage: { completion_tokens: 5 } })
    break
  }
  await expect.poll(lastToldSlots, PATIENT).toEqual([1, 1])
  for (const [network, consumer] of [
    [a, ofA],
    [b, ofB],
  ] as const) {
    const paid = await network.paid(consumer)
    expect(paid).toBeGreaterThan(0)
    expect(paid).toBeLessThan(LONG)
    expect(await network.gained(network.owner)).toBe(paid)
    await network.expectBalanced()
  }
})

test('[T7] both answer right, also after a start in which one’s keys cannot be had; who removes the Host leaves the other served', async () => {
  const first = await startHost()
  const [{ turns }] = goldenConversations() as [ReturnType<typeof goldenConversations>[number]]
  const answerOver = async (network: Network): Promise<string> => {
    const messages = [{ role: 'user', content: turns[0]?.user ?? '' }] as const
    const answer = await network.consumer.daisi.chat.create({ model: 'daisi-nano', temperature: 0, messages })
    return answer.choices[0]?.message.content ?? ''
  }
  expect(await Promise.all([a, b].map(answerOver))).toEqual([turns[0]?.answer, turns[0]?.answer])

  // The keys of Orc A cannot be had any more. The Host has them on disk, over a start of its own too.
  ways[0].refused = /^GET \/\.well-known\/jwks/
  await first.end('SIGKILL')
  await using host = await startHost({ stateDir: first.stateDir })
  expect(await Promise.all([a, b].map(answerOver))).toEqual([turns[0]?.answer, turns[0]?.answer])
  ways[0].refused = undefined

  await removeHost(a, host)
  expect(await host.logged('orc-ended')).toMatchObject({ orc: ways[0].url })
  await expect(answerOver(a)).rejects.toMatchObject({ code: 'no_host_available' })
  expect(await answerOver(b)).toBe(turns[0]?.answer)
})

test('an Orc that is killed leaves the other served, and is served again when it is back', async () => {
  await using host = await startHost({ modelPath: await slowModel(), model: 'slow' })
  const short = { model: 'slow', max_tokens: 5 }
  const running = await post(b, b.consumer, { ...short, stream: true, max_tokens: 200 })
  const events = readStream(running)
  await events.next()
  await a.orc.kill()
  expect((await Array.fromAsync(events)).at(-1)).toBe('[DONE]')
  expect((await post(b, b.consumer, short)).status).toBe(200)
  await host.logged('offline')
  await a.restartOrc()
  await host.logged('online', 3)
  expect((await post(a, a.consumer, short)).status).toBe(200)
  expect((await post(b, b.consumer, short)).status).toBe(200)
  await a.expectBalanced()
})
