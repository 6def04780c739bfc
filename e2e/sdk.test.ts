import { balance, Daisi, DaisiError, quote, runTools, tool } from 'daisi-sdk'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Host } from './support/host.ts'
import { startLossyProxy } from './support/lossy-proxy.ts'
import { type Consumer, GRANT, type Network, startNetwork } from './support/network.ts'
import { slowModel } from './support/slow-model.ts'
import { weather, weatherAnswer, weatherQuestion, weatherTool } from './support/tools.ts'

const model = 'daisi-nano'
const hello = { model, temperature: 0, messages: [{ role: 'user', content: 'Hello' }] } as const
const answer = 'Hello! How can I help you?'

let network: Network
let slow: Host
let daisi: Daisi

beforeAll(async () => {
  network = await startNetwork()
  await network.startedHost()
  slow = await network.startedHost({ modelPath: await slowModel(), model: 'slow' })
  daisi = network.consumer.daisi
})
afterAll(() => network?.stop())

/** What was thrown, which must be a DaisiError. */
async function thrownBy(work: Promise<unknown>): Promise<DaisiError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!DaisiError.isInstance(error)) throw new Error(`not a DaisiError: ${String(error)}`)
  return error
}

/** A client of this Consumer that goes through the proxy and tries again. */
function clientThrough(url: string, { key }: Consumer): Daisi {
  return new Daisi({ baseURL: url, apiKey: key.key, maxRetries: 3 })
}

test('a whole answer and a streamed one', async () => {
  const whole = await daisi.chat.create(hello)
  expect(whole.choices[0]).toMatchObject({ message: { content: answer }, finish_reason: 'stop' })
  const stream = await daisi.chat.stream(hello)
  expect((await Array.fromAsync(stream.textDeltas())).join('')).toBe(answer)
  expect((await stream.final()).usage.completion_tokens).toBe(whole.usage.completion_tokens)
  expect(stream.requestId).toBeTruthy()
})

test('a call of a tool is told as soon as it is whole, and a run with tools is streamed', async () => {
  const messages = [{ role: 'user', content: weatherQuestion }] as const
  const request = { model, temperature: 0, messages }
  const stream = await daisi.chat.stream({ ...request, tools: [weatherTool] })
  const [call, ...others] = await Array.fromAsync(stream.toolCalls())
  expect([call?.function.name, JSON.parse(call?.function.arguments ?? ''), others]).toEqual([
    'get_weather',
    { city: 'Paris' },
    [],
  ])
  const { name, description, parameters } = weatherTool.function
  const texts: string[] = []
  const { text } = await runTools(daisi.chat, {
    ...request,
    // A JSON Schema alone.
    tools: [tool({ name, description, parameters, run: () => weather })],
    onStream: async (answers) => void texts.push(...(await Array.fromAsync(answers.textDeltas()))),
  })
  expect([text, texts.join('')]).toEqual([weatherAnswer, weatherAnswer])
})

test('a quote and the balance', async () => {
  const { servable, credits } = await quote(daisi, { request: { ...hello, max_tokens: 9 } })
  expect([servable, credits.maximum > 0]).toEqual([true, true])
  expect((await balance(daisi)).available).toBeGreaterThan(credits.maximum)
})

test('models', async () => {
  expect((await daisi.models.list()).map(({ id }) => id).toSorted()).toEqual([model, 'slow'])
  expect(await daisi.models.get(model)).toMatchObject({ id: model })
})

test('[S1, S2, S3] a Session: opened, used, read, closed', async () => {
  const session = await daisi.sessions.create({ budget: 5_000, ttl_seconds: 600 })
  expect(session).toMatchObject({ status: 'open', budget: 5_000, usage: { jobs: 0, credits: 0 } })
  const inside = daisi.withSession(session)
  const { usage } = await inside.chat.create(hello)
  const cost = usage.total_tokens - usage.prompt_tokens_details.cached_tokens
  await expect.poll(() => daisi.sessions.get(session.id)).toMatchObject({ usage: { jobs: 1, credits: cost } })
  const tooMuch = await thrownBy(inside.chat.create({ ...hello, max_tokens: 6_000 }))
  expect(tooMuch).toMatchObject({ code: 'insufficient_credits', status: 402, isRetryable: false })
  expect(await daisi.sessions.close(session.id)).toMatchObject({ status: 'closed', usage: { credits: cost } })
  expect(await thrownBy(inside.chat.create(hello))).toMatchObject({ code: 'session_closed', status: 409 })
})

test('[S3] usage tells what was processed, and what is left', async () => {
  const consumer = await network.newConsumer()
  const { usage } = await consumer.daisi.chat.create(hello)
  await expect.poll(async () => (await consumer.daisi.usage.get()).totals.jobs).toBe(1)
  const { totals, balance } = await consumer.daisi.usage.get()
  expect(totals).toMatchObject({
    prompt_tokens: usage.prompt_tokens,
    generated_tokens: usage.completion_tokens,
    cached_tokens: usage.prompt_tokens_details.cached_tokens,
  })
  expect(balance.available + balance.held).toBe(GRANT - totals.credits)
})

test('[A7] leaving a stream stops the work, and the part is paid', async () => {
  const consumer = await network.newConsumer()
  const stream = await consumer.daisi.chat.stream({ ...hello, model: 'slow', max_tokens: 3_000 })
  for await (const _text of stream.textDeltas()) break
  expect(await thrownBy(stream.final())).toMatchObject({ code: 'aborted' })
  const paid = await network.paid(consumer)
  expect(paid).toBeGreaterThan(0)
  expect(paid).toBeLessThan(3_000)
})

test('[A7] aborting a whole request throws `aborted` at once', async () => {
  const leave = new AbortController()
  const request = { ...hello, model: 'slow', max_tokens: 500 }
  const whole = thrownBy(daisi.chat.create(request, { signal: leave.signal }))
  await slow.tookOn(2)
  leave.abort()
  expect(await whole).toMatchObject({ code: 'aborted', isRetryable: false })
})

test('[E1] errors are typed', async () => {
  const nobody = await thrownBy(daisi.chat.create({ ...hello, model: 'gpt-4o' }))
  expect(nobody).toMatchObject({ code: 'no_host_available', status: 503, isRetryable: true })
  expect(nobody.retryAfterMs).toBeGreaterThan(0)
  expect(nobody.requestId).toBeTruthy()
  const stranger = new Daisi({ baseURL: network.url, apiKey: 'daisi_sk_wrong' })
  expect(await thrownBy(stranger.models.list())).toMatchObject({ code: 'invalid_api_key', status: 401 })
  const long = { ...hello, messages: [{ role: 'user', content: 'word '.repeat(20_000) }] } as const
  expect(await thrownBy(daisi.chat.create(long))).toMatchObject({
    code: 'context_length_exceeded',
    status: 400,
    param: 'messages',
  })
  const nowhere = new Daisi({ baseURL: 'http://127.0.0.1:9', apiKey: 'daisi_sk_x', maxRetries: 0 })
  expect(await thrownBy(nowhere.models.list())).toMatchObject({ code: 'connection_error' })
})

test('[K1, K2] an answer that was lost on its way is charged once, however often it is asked for', async () => {
  const consumer = await network.newConsumer()
  await using proxy = await startLossyProxy(network.url, 1)
  const client = clientThrough(proxy.url, consumer)
  const error = await thrownBy(client.chat.create(hello))
  expect(error).toMatchObject({ code: 'request_already_processed', status: 409, isRetryable: false })
  expect(proxy.seen.length).toBeGreaterThan(1)
  expect(new Set(proxy.seen.map(({ key }) => key)).size).toBe(1)
  const { usage }: { usage: { total_tokens: number; prompt_tokens_details: { cached_tokens: number } } } =
    JSON.parse(proxy.lost[0]!)
  const cost = usage.total_tokens - usage.prompt_tokens_details.cached_tokens
  expect(await network.paid(consumer)).toBe(cost)
  await network.expectBalanced()
})

test('[K3] a refusal that was lost on its way costs nothing, and a later attempt runs', async () => {
  const consumer = await network.newConsumer()
  const late = await network.startedHost({ model: 'late' })
  const request = { ...hello, model: 'late' }
  await network.command(late, 'pause')
  // Until the Orc has heard of the pause, it is the Host that says no.
  const refused = { code: 'no_host_available' }
  await expect.poll(() => thrownBy(consumer.daisi.chat.create(request))).toMatchObject(refused)
  await using proxy = await startLossyProxy(network.url, 1)
  const asked = clientThrough(proxy.url, consumer).chat.create(request)
  await expect.poll(() => proxy.lost).toEqual([expect.stringContaining('no_host_available')])
  await network.command(late, 'resume')
  const { choices, usage } = await asked
  expect(choices[0]?.message.content).toBe(answer)
  expect(new Set(proxy.seen.map(({ key }) => key)).size).toBe(1)
  expect(await network.paid(consumer)).toBe(usage.total_tokens - usage.prompt_tokens_details.cached_tokens)
})
