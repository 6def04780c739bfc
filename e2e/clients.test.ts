import OpenAI, {
  APIUserAbortError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
} from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Host } from './support/host.ts'
import { type Network, startNetwork } from './support/network.ts'
import { slowModel } from './support/slow-model.ts'

const model = 'daisi-nano'
const messages = [{ role: 'user', content: 'What is the capital of Japan?' }] as const
const answer = 'The capital of Japan is Tokyo.'
const hello = { model, messages: [...messages], temperature: 0 }

let network: Network
let slow: Host
let openai: OpenAI

beforeAll(async () => {
  network = await startNetwork()
  await network.startedHost()
  slow = await network.startedHost({ modelPath: await slowModel(), model: 'slow' })
  openai = network.consumer.openai
})
afterAll(() => network?.stop())

describe('the openai client', () => {
  test('[P1] a whole answer, its usage adding up', async () => {
    const completion = await openai.chat.completions.create(hello)
    expect(completion).toMatchObject({ object: 'chat.completion', model })
    expect(completion.choices).toMatchObject([
      { index: 0, message: { role: 'assistant', content: answer }, finish_reason: 'stop' },
    ])
    const usage = completion.usage!
    expect(usage.prompt_tokens).toBeGreaterThan(0)
    expect(usage.completion_tokens).toBeGreaterThan(0)
    expect(usage.total_tokens).toBe(usage.prompt_tokens + usage.completion_tokens)
  })

  test('[A5] a stream: role first, one finish_reason, usage last and only when asked for', async () => {
    const stream_options = { include_usage: true }
    const asked = await Array.fromAsync(
      await openai.chat.completions.create({ ...hello, stream: true, stream_options }),
    )
    expect(asked[0]?.choices[0]?.delta).toMatchObject({ role: 'assistant' })
    expect(asked.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toBe(answer)
    expect(asked.filter((chunk) => chunk.choices[0]?.finish_reason === 'stop')).toHaveLength(1)
    expect(asked.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: expect.any(Number) } })
    const unasked = await Array.fromAsync(await openai.chat.completions.create({ ...hello, stream: true }))
    expect(unasked.filter((chunk) => chunk.choices.length === 0 || chunk.usage)).toEqual([])
  })

  test('its stream helper and its raw response', async () => {
    const deltas: string[] = []
    const runner = openai.chat.completions.stream(hello).on('content', (delta) => deltas.push(delta))
    expect(await runner.finalContent()).toBe(answer)
    expect(deltas.join('')).toBe(answer)
    const { response, request_id: requestId } = await openai.chat.completions.create(hello).withResponse()
    expect(response.headers.get('x-request-id')).toBe(requestId)
    expect(requestId).toBeTruthy()
  })

  test('models', async () => {
    const ids = (await Array.fromAsync(openai.models.list())).map(({ id }) => id)
    expect(ids.toSorted()).toEqual([model, 'slow'])
    expect(await openai.models.retrieve(model)).toMatchObject({ id: model, object: 'model' })
    await expect(openai.models.retrieve('nothing')).rejects.toBeInstanceOf(NotFoundError)
  })

  test('[A7] aborting a whole request and a stream', async () => {
    const request = { model: 'slow', messages: [...messages], temperature: 0, max_tokens: 3_000 }
    const leave = new AbortController()
    const whole = openai.chat.completions.create(request, { signal: leave.signal })
    await slow.tookOn(1)
    leave.abort()
    await expect(whole).rejects.toBeInstanceOf(APIUserAbortError)
    const stream = await openai.chat.completions.create({ ...request, stream: true })
    let chunks = 0
    for await (const chunk of stream) {
      if (chunk.choices[0]?.delta.content) chunks++
      if (chunks === 2) stream.controller.abort()
    }
    expect(chunks).toBe(2)
  })

  test('[A1] a made-up key is an AuthenticationError', async () => {
    const stranger = new OpenAI({
      baseURL: `${network.url}/v1`,
      apiKey: `daisi_sk_${'A'.repeat(60)}`,
      maxRetries: 0,
    })
    const failure = stranger.chat.completions.create(hello)
    await expect(failure).rejects.toBeInstanceOf(AuthenticationError)
    await expect(failure).rejects.toMatchObject({ status: 401, code: 'invalid_api_key' })
    await expect(stranger.models.list()).rejects.toBeInstanceOf(AuthenticationError)
  })

  test('[A3] what is not served is a BadRequestError with its name', async () => {
    const failure = openai.chat.completions.create({ ...hello, store: true })
    await expect(failure).rejects.toBeInstanceOf(BadRequestError)
    await expect(failure).rejects.toMatchObject({ code: 'unsupported_parameter', param: 'store' })
  })

  test('[K4] a model that nobody serves is a 503 with Retry-After', async () => {
    const failure = openai.chat.completions.create({ ...hello, model: 'gpt-4o' })
    await expect(failure).rejects.toBeInstanceOf(InternalServerError)
    const error: unknown = await failure.catch((reason: unknown) => reason)
    expect(error).toMatchObject({ status: 503, code: 'no_host_available' })
    expect(error instanceof InternalServerError && Number(error.headers.get('retry-after'))).toBeGreaterThan(
      0,
    )
  })
})
