import { type Quote, quoteAnswer } from '@daisi/protocol'
import { expect, test } from 'vitest'
import { hostAlias } from '../src/domain/alias.ts'
import { audit, balanceOf, call, newAccount, newKey, settle } from './support/orc.ts'
import { type Scene, errorCode, newScene } from './support/scene.ts'

const messages = [{ role: 'user', content: 'Hi' }]

function ask(
  { key }: Pick<Scene, 'key'>,
  body: Record<string, unknown>,
  headers: Record<string, string> = {},
): Promise<Response> {
  return call('POST', '/v1/quote', { token: key.key, body, headers })
}

async function quoteOf(response: Promise<Response>): Promise<Quote> {
  const answer = await response
  expect(answer.status).toBe(200)
  return quoteAnswer.parse(await answer.json())
}

test('[G5] a quote says what a request costs, counted by a Host, and costs nothing', async () => {
  const scene = await newScene({ offer: { capabilities: ['count-only'] } })
  const request = { model: scene.model, messages, max_tokens: 20, n: 2 }
  const asked = quoteOf(ask(scene, { request }))
  const run = await scene.host.receive('run')
  expect(run.payload).toMatchObject({ countOnly: true })
  scene.host.accept(run, 7, 7)
  await scene.host.end(run, { promptTokens: 7, cachedTokens: 7, generatedTokens: 0 })
  expect(await asked).toMatchObject({
    object: 'quote',
    endpoint: 'chat.completions',
    model: scene.model,
    credits: { minimum: 2 * 8, maximum: 2 * 27, held: 2 * 61 },
    prompt: { tokens: 14, exact: true },
    max_tokens: 40,
    free: false,
    servable: true,
    refusal: null,
    hosts: [
      {
        host: await hostAlias(scene.host.keys.id),
        network: 'public',
        own: false,
        state: 'loaded',
        context_length: 2048,
        free_slots: 4,
        tokens_per_second: null,
      },
    ],
  })
  await settle(scene.key.key)
  const usage = await call('GET', '/v1/usage', { token: scene.key.key })
  expect(await usage.json()).toMatchObject({ totals: { jobs: 0, credits: 0 } })
  const { available, held, spent } = await balanceOf(scene.consumer)
  expect([available + held, spent]).toEqual([10_000, 0])
  expect(await audit()).toMatchObject({ sum: 0, drifted: 0 })
})

test('[G5] without a Host that counts it is an estimate, and the most is what it can be at most', async () => {
  const scene = await newScene()
  const request = { model: scene.model, messages, max_tokens: 20 }
  expect(await quoteOf(ask(scene, { request }))).toMatchObject({
    prompt: { tokens: 41, exact: false },
    credits: { minimum: 42, maximum: 2 + 64 + 16 + 20, held: 61 },
  })
})

test('[G5] on a Host of the account itself it is free, credits or not', async () => {
  const scene = await newScene()
  const key = await newKey(scene.owner)
  const request = { model: scene.model, messages, max_tokens: 100_000 }
  const quote = await quoteOf(ask({ key }, { request }))
  expect(quote).toMatchObject({ free: true, servable: true, refusal: null, hosts: [{ own: true }] })
})

test('[G6] what stands in the way is told with its code, and is no error of the quote', async () => {
  const scene = await newScene()
  const request = { model: scene.model, messages, max_tokens: 100_000 }
  const refusalOf = async (body: Record<string, unknown>): Promise<unknown> => {
    const { servable, refusal } = await quoteOf(ask(scene, body))
    return [servable, refusal?.code]
  }
  expect(await refusalOf({ request })).toEqual([false, 'insufficient_credits'])
  const small = { ...request, max_tokens: 1 }
  expect(await refusalOf({ request: { ...small, model: 'none' } })).toEqual([false, 'no_host_available'])
  expect(await refusalOf({ request: { ...small, seed: 1 } })).toEqual([false, 'unsupported_parameter'])
  expect(await refusalOf({ request: small, daisi: { host: 'no-such-host' } })).toEqual([
    false,
    'no_host_available',
  ])
  expect(await refusalOf({ request: { ...small, daisi: { host: 'no-such-host' } } })).toEqual([
    false,
    'no_host_available',
  ])
  expect(await refusalOf({ request: small })).toEqual([true, undefined])
})

test('[G6] what the Host finds too long is told', async () => {
  const scene = await newScene({ offer: { capabilities: ['count-only'] } })
  const asked = quoteOf(
    ask(scene, { request: { model: scene.model, messages: [{ role: 'user', content: 'x'.repeat(9_000) }] } }),
  )
  const { jobId } = await scene.host.receive('run')
  const counted = { promptTokens: 4_000, contextLength: 2_048 }
  scene.host.send({ type: 'refused', jobId, code: 'context_length_exceeded', message: 'long', ...counted })
  expect((await asked).refusal?.code).toBe('context_length_exceeded')
})

test.for([
  [{}, 'request'],
  [{ model: 'm', messages }, 'request'],
  [{ request: { model: 'm', messages: [] } }, 'request.messages'],
  [{ request: { model: 'm', messages, audio: {} } }, 'request.audio'],
  [{ endpoint: 'files', request: {} }, 'endpoint'],
] as const)('[G6] %j is refused by the field at fault', async ([body, param]) => {
  const scene = await newScene()
  const response = await ask(scene, body)
  expect(response.status).toBe(400)
  expect(await response.json()).toMatchObject({ error: { param } })
})

test('[G5] the same conversation costs the same in every API', async () => {
  const scene = await newScene()
  const { model } = scene
  const priceOf = async (endpoint: string, request: Record<string, unknown>): Promise<unknown> =>
    (await quoteOf(ask(scene, { endpoint, request: { model, ...request } }))).credits
  const price = await priceOf('chat.completions', { messages, max_tokens: 20 })
  expect(await priceOf('responses', { input: 'Hi', max_output_tokens: 20 })).toEqual(price)
  expect(await priceOf('messages', { messages, max_tokens: 20 })).toEqual(price)
})

test('[G5] completions, embeddings and images have their prices too', async () => {
  const kinds = ['completion', 'embedding', 'image'] as const
  const scene = await newScene({ offer: { kinds: [...kinds] } })
  const { model } = scene
  const quoted = async (endpoint: string, request: Record<string, unknown>): Promise<unknown> => {
    const { credits, prompt, servable } = await quoteOf(
      ask(scene, { endpoint, request: { model, ...request } }),
    )
    return { credits, prompt, servable }
  }
  expect(await quoted('completions', { prompt: [[1, 2, 3]], max_tokens: 5 })).toMatchObject({
    servable: true,
  })
  expect(await quoted('embeddings', { input: ['a', 'b'] })).toMatchObject({ servable: true })
  expect(await quoted('images.generations', { prompt: 'a cat', n: 2, size: '512x512' })).toEqual({
    credits: { minimum: 512, maximum: 512, held: 512 },
    prompt: { tokens: 0, exact: true },
    servable: true,
  })
})

test('[G5] a key that may not is refused as the request itself would be', async () => {
  const account = await newAccount('limited')
  const request = { model: 'other', messages }
  const narrow = await newKey(account, { models: ['one'] })
  const refused = await ask({ key: narrow }, { request })
  expect([refused.status, await errorCode(refused)]).toEqual([403, 'model_not_allowed'])
  const unscoped = await newKey(account, { scopes: ['usage'] })
  const turned = await ask({ key: unscoped }, { request })
  expect([turned.status, await errorCode(turned)]).toEqual([403, 'insufficient_scope'])
})
