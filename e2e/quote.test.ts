import { afterAll, beforeAll, expect, test } from 'vitest'
import { quoteAnswer } from '@daisi/protocol'
import { type Network, startNetwork } from './support/network.ts'

// Quotes and options of requests, with a real Host that counts.

let network: Network

beforeAll(async () => {
  network = await startNetwork()
})
afterAll(() => network?.stop())

const request = {
  model: 'daisi-nano',
  messages: [{ role: 'user' as const, content: 'Which animals live in the sea?' }],
  max_tokens: 8,
}

async function ask(path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${network.url}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      authorization: `Bearer ${network.consumer.key.key}`,
      'content-type': 'application/json',
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
}

test('[G4] who waits while there is no Host is answered by the first that comes', async () => {
  const answer = ask('/v1/chat/completions', { ...request, daisi: { wait: 60 } })
  await network.startedHost()
  const response = await answer
  expect(response.status).toBe(200)
  expect(response.headers.get('daisi-host')).toMatch(/^[a-z]+-[a-z]+-[0-9a-f]{6}$/)
  expect(await response.json()).toMatchObject({ object: 'chat.completion' })
})

test('[G3, G5, J10] a quote counts what the request is charged for, and names the Host that will answer it', async () => {
  const totals = async (): Promise<unknown> =>
    ((await (await ask('/v1/usage')).json()) as { totals: unknown }).totals
  const before = await totals()
  const quote = quoteAnswer.parse(await (await ask('/v1/quote', { request })).json())
  expect(quote).toMatchObject({ prompt: { exact: true }, servable: true, hosts: [{ state: 'loaded' }] })
  expect(await totals()).toEqual(before)
  const alias = quote.hosts[0]?.host ?? ''
  const pinned = await ask('/v1/chat/completions', request, { 'daisi-host': alias })
  expect(pinned.headers.get('daisi-host')).toBe(alias)
  const { usage } = (await pinned.json()) as { usage: { prompt_tokens: number; total_tokens: number } }
  expect(quote.prompt.tokens).toBe(usage.prompt_tokens)
  expect(usage.total_tokens).toBeLessThanOrEqual(quote.credits.maximum)
})
