import Anthropic, {
  APIUserAbortError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
} from '@anthropic-ai/sdk'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CheckedFetch } from '../support/checked-fetch.ts'
import type { Host } from '../support/host.ts'
import { type Network, startNetwork } from '../support/network.ts'
import { slowModel } from '../support/slow-model.ts'
import { weather, weatherAnswer, weatherQuestion, weatherTool } from '../support/tools.ts'

const model = 'daisi-nano'

const looking = new CheckedFetch()
let network: Network
let slow: Host
let anthropic: Anthropic

beforeAll(async () => {
  network = await startNetwork()
  await network.startedHost()
  slow = await network.startedHost({ modelPath: await slowModel(), model: 'slow' })
  anthropic = client({ apiKey: network.consumer.key.key })
})
afterAll(() => network?.stop())

function client(options: { apiKey?: string; authToken?: string }): Anthropic {
  return new Anthropic({
    fetch: looking.fetch,
    baseURL: network.url,
    apiKey: null,
    authToken: null,
    maxRetries: 0,
    ...options,
  })
}

const tools = [
  {
    name: weatherTool.function.name,
    description: weatherTool.function.description,
    input_schema: { ...weatherTool.function.parameters, required: ['city'] },
  },
]

function ask(content: string): {
  model: string
  max_tokens: number
  temperature: number
  messages: { role: 'user'; content: string }[]
} {
  return { model, max_tokens: 200, temperature: 0, messages: [{ role: 'user', content }] }
}

test('a whole message, by both ways to show a key', async () => {
  for (const with_ of [{ apiKey: network.consumer.key.key }, { authToken: network.consumer.key.key }]) {
    const message = await client(with_).messages.create(ask('What is the capital of Japan?'))
    expect(message).toMatchObject({
      type: 'message',
      role: 'assistant',
      model,
      content: [{ type: 'text', text: 'The capital of Japan is Tokyo.' }],
      stop_reason: 'end_turn',
    })
    expect(message.usage.output_tokens).toBeGreaterThan(0)
  }
})

test('its stream helper: text, the final message, usage', async () => {
  const stream = anthropic.messages.stream({
    ...ask('What is the capital of Japan?'),
    system: 'You are a helpful assistant.',
  })
  const deltas: string[] = []
  stream.on('text', (delta) => deltas.push(delta))
  const message = await stream.finalMessage()
  expect(deltas.join('')).toBe('The capital of Japan is Tokyo.')
  expect(message.content).toMatchObject([{ type: 'text', text: deltas.join('') }])
  expect(message.usage.input_tokens + (message.usage.cache_read_input_tokens ?? 0)).toBeGreaterThan(0)
})

test.for([false, true])('a call, its result, and the answer from it (streamed: %s)', async (isStreamed) => {
  const create = (request: Anthropic.MessageCreateParamsNonStreaming): Promise<Anthropic.Message> =>
    isStreamed ? anthropic.messages.stream(request).finalMessage() : anthropic.messages.create(request)
  const first = await create({ ...ask(weatherQuestion), tools })
  expect(first.stop_reason).toBe('tool_use')
  const use = first.content.find((block) => block.type === 'tool_use')
  expect(use).toMatchObject({ name: 'get_weather', input: { city: 'Paris' } })
  const second = await create({
    ...ask(weatherQuestion),
    tools,
    messages: [
      { role: 'user', content: weatherQuestion },
      { role: 'assistant', content: first.content },
      {
        role: 'user',
        content: [{ type: 'tool_result', tool_use_id: use!.id, content: JSON.stringify(weather) }],
      },
    ],
  })
  expect(second).toMatchObject({ content: [{ type: 'text', text: weatherAnswer }], stop_reason: 'end_turn' })
})

test.for([{ type: 'any' }, { type: 'tool', name: 'get_weather' }] as const)(
  'a call that has to be made: %j',
  async (tool_choice) => {
    const { content } = await anthropic.messages.create({ ...ask('Hello'), tools, tool_choice })
    expect(content).toMatchObject([
      { type: 'tool_use', name: 'get_weather', input: { city: expect.any(String) } },
    ])
  },
)

test('[J10] tokens are counted, for free', async () => {
  const consumer = await network.newConsumer()
  const mine = client({ apiKey: consumer.key.key })
  const { max_tokens: _, temperature: __, ...prompt } = ask(weatherQuestion)
  const { input_tokens } = await mine.messages.countTokens({ ...prompt, tools })
  await network.settle(consumer)
  expect(await network.gained(consumer.account)).toBe(0)
  const { usage } = await mine.messages.create({ ...ask(weatherQuestion), tools })
  expect(usage.input_tokens + (usage.cache_read_input_tokens ?? 0)).toBe(input_tokens)
})

test('a limit of tokens ends a message', async () => {
  const { stop_reason, usage } = await anthropic.messages.create({
    ...ask('Tell me a story about a fox.'),
    max_tokens: 5,
  })
  expect(stop_reason).toBe('max_tokens')
  expect(usage.output_tokens).toBe(5)
})

test('errors are those of its client, with their request ids', async () => {
  const stranger = client({ apiKey: `daisi_sk_${'A'.repeat(60)}` })
  await expect(stranger.messages.create(ask('Hi'))).rejects.toBeInstanceOf(AuthenticationError)
  const refused = anthropic.messages.create({ ...ask('Hi'), max_tokens: 0 })
  await expect(refused).rejects.toBeInstanceOf(BadRequestError)
  await expect(refused).rejects.toMatchObject({ requestID: expect.stringMatching(/^req_/) })
  await expect(anthropic.messages.create({ ...ask('Hi'), model: 'claude-opus-4' })).rejects.toBeInstanceOf(
    InternalServerError,
  )
})

test('[A7] leaving a stream stops the Host', async () => {
  const stream = anthropic.messages.stream({ ...ask('Hi'), model: 'slow', max_tokens: 3_000 })
  await slow.tookOn(1)
  stream.abort()
  await expect(stream.finalMessage()).rejects.toBeInstanceOf(APIUserAbortError)
  // Both of its slots are free again: neither of these waits.
  const short = { ...ask('Hi'), model: 'slow', max_tokens: 1 }
  await Promise.all([anthropic.messages.create(short), anthropic.messages.create(short)])
})

test('every answer, event and error had its published shape', async () => {
  expect(await looking.faults()).toEqual([])
  expect(looking.checked).toBeGreaterThan(20)
})
