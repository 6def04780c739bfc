import { afterAll, beforeAll, expect, test } from 'vitest'
import type { AccountCreated } from '@daisi/protocol'
import { errorCode, post } from './support/chat.ts'
import { type Consumer, type Network, startNetwork } from './support/network.ts'

/** An answer of some 200 tokens. */
const messages = [{ role: 'user', content: 'Explain DAISI in detail.' }] as const
const REQUESTS = 40
const SEED = 20_261_122

let network: Network
let owners: readonly [AccountCreated, AccountCreated]

beforeAll(async () => {
  network = await startNetwork()
  owners = [await network.account('owner-1'), await network.account('owner-2')]
  await Promise.all(owners.map((owner) => network.startedHost({ owner })))
})
afterAll(() => network?.stop())

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d_2b_79_f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

async function earned(): Promise<number> {
  const each = await Promise.all(owners.map((owner) => network.gained(owner)))
  expect(Math.min(...each)).toBeGreaterThanOrEqual(0)
  return each.reduce((sum, credits) => sum + credits, 0)
}

/** One streamed request; read to its end it gives its price, left after `leaveAfter` pieces of text nothing. */
async function stream(consumer: Consumer, leaveAfter: number | undefined): Promise<number | undefined> {
  const answer = await consumer.daisi.chat.stream({ model: 'daisi-nano', temperature: 0, messages })
  let pieces = 0
  for await (const _text of answer.textDeltas()) if (++pieces === leaveAfter) return undefined
  const { usage } = await answer.final()
  return usage.total_tokens - usage.prompt_tokens_details.cached_tokens
}

test('[P1, P2] 40 streams at once, some of them left: what Consumers paid is what owners earned', async () => {
  const [patient, hasty] = [await network.newConsumer(), await network.newConsumer()]
  const random = seeded(SEED)
  const plans = Array.from({ length: REQUESTS }, (_, index) => ({
    consumer: index % 2 === 0 ? patient : hasty,
    leaveAfter: index % 2 === 1 && random() < 0.5 ? 1 + Math.floor(random() * 3) : undefined,
  }))
  const prices = await Promise.all(plans.map(({ consumer, leaveAfter }) => stream(consumer, leaveAfter)))
  const quoted = (consumer: Consumer): number =>
    prices.reduce<number>(
      (sum, price, index) => sum + (plans[index]?.consumer === consumer ? (price ?? 0) : 0),
      0,
    )
  const left = prices.filter((price) => price === undefined).length
  expect(left).toBeGreaterThan(3)
  const [patientPaid, hastyPaid] = [await network.paid(patient), await network.paid(hasty)]
  expect(patientPaid).toBe(quoted(patient))
  expect(hastyPaid).toBeGreaterThan(quoted(hasty))
  expect(hastyPaid).toBeLessThan(quoted(hasty) + left * 400)
  expect(await earned()).toBe(patientPaid + hastyPaid)
  await network.expectBalanced()
})

test('[P3] an account pays nothing on its own Hosts', async () => {
  const owner = await network.account('self-sufficient')
  await using host = await network.startedHost({ owner, model: 'own' })
  const self = await network.consumerOf(owner)
  const request = { model: host.model, messages, temperature: 0 }
  expect((await self.daisi.chat.create(request)).usage.total_tokens).toBeGreaterThan(0)
  await expect.poll(async () => (await self.daisi.usage.get()).totals).toMatchObject({ jobs: 1, credits: 0 })
  expect(await network.paid(self)).toBe(0)
})

test('[P4] what the balance may not cover is answered 402, before a Host is looked for', async () => {
  await using poor = await startNetwork(200)
  const ask = async (max_tokens: number): Promise<readonly [number, string]> => {
    const response = await post(poor, poor.consumer, { model: 'daisi-nano', max_tokens })
    return [response.status, await errorCode(response)]
  }
  expect(await ask(200)).toEqual([402, 'insufficient_credits'])
  expect(await ask(20)).toEqual([503, 'no_host_available'])
  expect(await poor.paid(poor.consumer)).toBe(0)
})

test('[S2] what a Session may not spend is answered 402, and costs nothing', async () => {
  const consumer = await network.newConsumer()
  const session = await consumer.daisi.sessions.create({ budget: 200 })
  const headers = { 'daisi-session': session.id }
  const beyond = await post(network, consumer, { model: 'daisi-nano', max_tokens: 300 }, { headers })
  expect([beyond.status, await errorCode(beyond)]).toEqual([402, 'insufficient_credits'])
  const { usage } = await consumer.daisi
    .withSession(session)
    .chat.create({ model: 'daisi-nano', messages: [{ role: 'user', content: 'Hello' }], max_tokens: 20 })
  const cost = usage.total_tokens - usage.prompt_tokens_details.cached_tokens
  expect(await network.paid(consumer)).toBe(cost)
  await network.expectBalanced()
})

test('[A1] a revoked key is refused at once, by every route', async () => {
  const consumer = await network.newConsumer()
  const session = await consumer.daisi.sessions.create({})
  expect((await post(network, consumer, { model: 'daisi-nano' })).status).toBe(200)
  await network.revoke(consumer)
  const inSession = { headers: { 'daisi-session': session.id } }
  for (const init of [{}, inSession]) {
    const response = await post(network, consumer, { model: 'daisi-nano' }, init)
    expect([response.status, await errorCode(response)]).toEqual([401, 'invalid_api_key'])
  }
  await expect(consumer.daisi.models.list()).rejects.toMatchObject({ code: 'invalid_api_key' })
  await expect(consumer.daisi.usage.get()).rejects.toMatchObject({ code: 'invalid_api_key' })
})
