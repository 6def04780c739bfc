import { HumanMessage, ToolMessage } from '@langchain/core/messages'
import { tool } from '@langchain/core/tools'
import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import * as z from 'zod'
import { type Network, startNetwork } from '../support/network.ts'
import { weather, weatherAnswer, weatherQuestion } from '../support/tools.ts'

const answer = 'The capital of Japan is Tokyo.'
const question = 'What is the capital of Japan?'

let network: Network
let chat: ChatOpenAI

beforeAll(async () => {
  network = await startNetwork()
  await network.startedHost()
  chat = new ChatOpenAI({ model: 'daisi-nano', temperature: 0, maxRetries: 0, ...reach() })
})
afterAll(() => network?.stop())

function reach() {
  const apiKey = network.consumer.key.key
  return { apiKey, configuration: { baseURL: `${network.url}/v1` } }
}

test('invoke and stream', async () => {
  expect((await chat.invoke(question)).content).toBe(answer)
  const chunks = await Array.fromAsync(await chat.stream(question))
  expect(chunks.map(({ text }) => text).join('')).toBe(answer)
})

test('a tool, called and answered', async () => {
  const getWeather = tool(() => JSON.stringify(weather), {
    name: 'get_weather',
    description: 'Get the current weather for a city',
    schema: z.object({ city: z.string().describe('City name') }),
  })
  const bound = chat.bindTools([getWeather])
  const asked = new HumanMessage(weatherQuestion)
  const call = await bound.invoke([asked])
  expect(call.tool_calls).toMatchObject([{ name: 'get_weather', args: { city: 'Paris' } }])
  const [made] = call.tool_calls ?? []
  const result = new ToolMessage({ content: JSON.stringify(weather), tool_call_id: made?.id ?? '' })
  expect((await bound.invoke([asked, call, result])).content).toBe(weatherAnswer)
})

test.for(['jsonSchema', 'functionCalling'] as const)('structured output by %s', async (method) => {
  const person = z.object({ name: z.string(), age: z.number() })
  const value = await chat
    .withStructuredOutput(person, { method })
    .invoke('Extract the name and age as JSON: Maria is 27 years old.')
  expect(person.parse(value)).toEqual(value)
})

test('embeddings', async () => {
  const embeddings = new OpenAIEmbeddings({ model: 'daisi-nano', maxRetries: 0, ...reach() })
  expect(await embeddings.embedQuery('A fox')).toHaveLength(256)
  expect(await embeddings.embedDocuments(['A fox', 'A dog'])).toHaveLength(2)
})

test('a model that nobody serves', async () => {
  const missing = new ChatOpenAI({ model: 'gpt-4o', maxRetries: 0, ...reach() })
  await expect(missing.invoke('Hello')).rejects.toMatchObject({ status: 503, code: 'no_host_available' })
})
