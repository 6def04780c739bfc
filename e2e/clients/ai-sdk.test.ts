import { createAnthropic } from '@ai-sdk/anthropic'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { APICallError, embedMany, generateText, isStepCount, Output, streamText, tool } from 'ai'
import { Daisi } from 'daisi-sdk'
import { createDaisi } from 'daisi-sdk/ai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import type { Host } from '../support/host.ts'
import { type Network, startNetwork } from '../support/network.ts'
import { slowModel } from '../support/slow-model.ts'
import { weather, weatherAnswer, weatherQuestion } from '../support/tools.ts'

const name = 'daisi-nano'
const answer = 'The capital of Japan is Tokyo.'
const prompt = 'What is the capital of Japan?'

let network: Network
let slow: Host

beforeAll(async () => {
  network = await startNetwork()
  await network.startedHost()
  slow = await network.startedHost({ modelPath: await slowModel(), model: 'slow', slots: 1 })
})
afterAll(() => network?.stop())

function compatible(apiKey = network.consumer.key.key) {
  return createOpenAICompatible({
    name: 'daisi',
    baseURL: `${network.url}/v1`,
    apiKey,
    includeUsage: true,
    supportsStructuredOutputs: true,
  })
}

let lateHosts = 0

const models = {
  '@ai-sdk/openai-compatible': (id = name) => compatible()(id),
  '@ai-sdk/anthropic': (id = name) =>
    createAnthropic({ baseURL: `${network.url}/v1`, apiKey: network.consumer.key.key })(id),
  // Its own client tries again, under one key for all attempts.
  'daisi-sdk/ai': (id = name) =>
    createDaisi(new Daisi({ baseURL: network.url, apiKey: network.consumer.key.key, maxRetries: 12 }))(id),
}

describe.for(Object.entries(models))('%s', ([, model]) => {
  const common = () => ({ model: model(), temperature: 0, maxRetries: 0 })

  test('generateText and streamText', async () => {
    const whole = await generateText({ ...common(), prompt })
    expect(whole).toMatchObject({ text: answer, finishReason: 'stop' })
    expect(whole.usage.outputTokens).toBeGreaterThan(0)
    const stream = streamText({ ...common(), prompt })
    expect((await Array.fromAsync(stream.textStream)).join('')).toBe(answer)
    expect(await stream.finishReason).toBe('stop')
    expect((await stream.usage).outputTokens).toBe(whole.usage.outputTokens)
  })

  test.for([false, true])('tools, called and answered (streamed: %s)', async (isStreamed) => {
    const asked: unknown[] = []
    const get_weather = tool({
      description: 'Get the current weather for a city',
      inputSchema: z.object({ city: z.string().describe('City name') }),
      execute: (input) => {
        asked.push(input)
        return weather
      },
    })
    const request = {
      ...common(),
      prompt: weatherQuestion,
      tools: { get_weather },
      stopWhen: isStepCount(3),
    }
    const text = isStreamed ? await streamText(request).text : (await generateText(request)).text
    expect(text).toBe(weatherAnswer)
    expect(asked).toEqual([{ city: 'Paris' }])
  })

  test('an object in the form of a schema', async () => {
    const { output } = await generateText({
      ...common(),
      prompt: 'Extract the name and age as JSON: Maria is 27 years old.',
      output: Output.object({ schema: z.object({ name: z.string(), age: z.number() }) }),
    })
    expect(output).toEqual({ name: 'Maria', age: 27 })
  })

  test('[A7] leaving a stream stops the Host', async () => {
    const leave = new AbortController()
    const jobs = slow.jobs
    const request = { ...common(), model: model('slow'), maxOutputTokens: 3_000, prompt: 'Hello' }
    const stream = streamText({ ...request, abortSignal: leave.signal })
    let isOver = false
    const reading = Array.fromAsync(stream.textStream).finally(() => (isOver = true))
    await slow.tookOn(jobs + 1)
    expect(isOver).toBe(false)
    leave.abort()
    await reading.catch(() => undefined)
    // Its only slot is free again: this one does not wait for 3,000 tokens.
    const { usage } = await generateText({ ...request, maxOutputTokens: 1 })
    expect(usage.outputTokens).toBe(1)
  })

  test('[K4] tried again by the SDK itself, a request finds the Host that came meanwhile', async () => {
    const late = `late-${++lateHosts}`
    const answering = generateText({ ...common(), model: model(late), maxRetries: 12, prompt })
    await network.startHost({ model: late })
    expect((await answering).text).toBe(answer)
  })
})

describe.for([
  ['@ai-sdk/openai-compatible', () => compatible().embeddingModel(name)],
  ['daisi-sdk/ai', () => createDaisi(network.consumer.daisi).embeddingModel(name)],
] as const)('embeddings by %s', ([, model]) => {
  test('embedMany', async () => {
    const { embeddings, usage } = await embedMany({
      model: model(),
      values: ['A fox', 'A dog'],
      maxRetries: 0,
    })
    expect(embeddings.map((vector) => vector.length)).toEqual([256, 256])
    expect(usage.tokens).toBeGreaterThan(0)
  })
})

test('[E1] an error keeps its status', async () => {
  const failure = generateText({ model: compatible('wrong')(name), prompt: 'Hello', maxRetries: 0 })
  const error: unknown = await failure.catch((reason: unknown) => reason)
  expect(APICallError.isInstance(error) && error.statusCode).toBe(401)
})
