import { afterAll, beforeAll, expect, test } from 'vitest'
import { type DirectHost, RawConsumer, startDirectHost } from './support/direct.ts'
import { type Network, startNetwork } from './support/network.ts'

const MODEL = 'daisi-nano'
const REQUEST = { model: MODEL, temperature: 0, messages: [{ role: 'user', content: 'Hello' }] } as const

let network: Network
let direct: DirectHost

beforeAll(async () => {
  network = await startNetwork()
  direct = await startDirectHost(network)
})
afterAll(async () => {
  await direct?.way[Symbol.asyncDispose]()
  await network?.stop()
})

test('[S1] a Session that somebody else opened is as one that does not exist, and stays as it was', async () => {
  const victim = await network.newConsumer()
  const { daisi } = victim
  const session = await daisi.sessions.create({ budget: 1_000 })
  const raw = new RawConsumer()
  const { id: directId } = await raw.open(network, victim, MODEL)
  const before = await daisi.sessions.get(session.id)
  const stranger = await network.newConsumer()
  const made = `ses_${'A'.repeat(session.id.length - 4)}`
  const attempt = async (id: string): Promise<unknown[]> => {
    const headers = { authorization: `Bearer ${stranger.key.key}`, 'content-type': 'application/json' }
    const path = `${network.url}/v1/sessions/${id}`
    const answers = await Promise.all([
      fetch(path, { headers }),
      fetch(path, { headers, method: 'DELETE' }),
      fetch(`${path}/direct`, {
        headers,
        method: 'POST',
        body: JSON.stringify({ model: MODEL, key: raw.jwk }),
      }),
      fetch(`${network.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { ...headers, 'daisi-session': id },
        body: JSON.stringify(REQUEST),
      }),
    ])
    return Promise.all(answers.map(async (answer) => [answer.status, await answer.json()]))
  }
  const [ofOne, ofDirect, ofNone] = [await attempt(session.id), await attempt(directId), await attempt(made)]
  expect(ofNone).toMatchObject(Array.from({ length: 4 }, () => [404, { error: { code: 'not_found' } }]))
  expect([ofOne, ofDirect]).toEqual([ofNone, ofNone])
  expect(await daisi.sessions.get(session.id)).toEqual(before)
  expect(await network.balance(victim.account)).toMatchObject({ spent: 0 })
  expect((await daisi.withSession(session).chat.create(REQUEST)).usage.total_tokens).toBeGreaterThan(0)
  expect(await network.balance(stranger.account)).toMatchObject({ spent: 0, held: 0 })
})
