import { BadRequestError, type OpenAI } from 'openai'
import { zodResponseFormat } from 'openai/helpers/zod'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { CheckedFetch } from '../support/checked-fetch.ts'
import { type Network, startNetwork } from '../support/network.ts'
import { tools, weather, weatherAnswer, weatherQuestion } from '../support/tools.ts'

const model = 'daisi-nano'

const looking = new CheckedFetch()
let network: Network
let openai: OpenAI

beforeAll(async () => {
  network = await startNetwork()
  await network.startedHost()
  openai = network.consumer.openai.withOptions({ fetch: looking.fetch })
})
afterAll(() => network?.stop())

function ask(content: string): {
  model: string
  messages: { role: 'user'; content: string }[]
  temperature: 0
} {
  return { model, messages: [{ role: 'user', content }], temperature: 0 }
}

describe('tools', () => {
  test('a call, its result, and the answer from it', async () => {
    const first = await openai.chat.completions.create({ ...ask(weatherQuestion), tools: [...tools] })
    const [choice] = first.choices
    expect(choice).toMatchObject({ finish_reason: 'tool_calls', message: { content: null } })
    const call = choice?.message.tool_calls?.[0]
    if (call?.type !== 'function') throw new Error('no call')
    expect(call.function.name).toBe('get_weather')
    expect(JSON.parse(call.function.arguments)).toEqual({ city: 'Paris' })
    const second = await openai.chat.completions.create({
      ...ask(weatherQuestion),
      tools: [...tools],
      messages: [
        { role: 'user', content: weatherQuestion },
        choice!.message,
        { role: 'tool', tool_call_id: call.id, content: JSON.stringify(weather) },
      ],
    })
    expect(second.choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: weatherAnswer } })
  })

  test('its own runner, streamed', async () => {
    const asked: unknown[] = []
    const runner = openai.chat.completions.runTools({
      ...ask(weatherQuestion),
      stream: true,
      tools: [
        {
          type: 'function',
          function: {
            ...tools[0].function,
            parameters: { ...tools[0].function.parameters, required: ['city'] },
            parse: JSON.parse,
            function: (args: unknown) => {
              asked.push(args)
              return JSON.stringify(weather)
            },
          },
        },
      ],
    })
    expect(await runner.finalContent()).toBe(weatherAnswer)
    expect(asked).toEqual([{ city: 'Paris' }])
  })

  test.for(['required', { type: 'function', function: { name: 'calculator' } }] as const)(
    'a call that has to be made: %j',
    async (tool_choice) => {
      const { choices } = await openai.chat.completions.create({
        ...ask('Hello'),
        tools: [...tools],
        tool_choice,
      })
      const call = choices[0]?.message.tool_calls?.[0]
      if (call?.type !== 'function') throw new Error('no call')
      if (typeof tool_choice === 'object') expect(call.function.name).toBe('calculator')
      expect(JSON.parse(call.function.arguments)).toBeTypeOf('object')
    },
  )

  test('none: no call', async () => {
    const { choices } = await openai.chat.completions.create({
      ...ask(weatherQuestion),
      tools: [...tools],
      tool_choice: 'none',
    })
    expect(choices[0]?.message.tool_calls).toBeUndefined()
  })
})

describe('formats', () => {
  test('a zod schema: parsed by its helper', async () => {
    const person = z.object({ name: z.string(), age: z.number() })
    const completion = await openai.chat.completions.parse({
      ...ask('Extract the name and age as JSON: Maria is 27 years old.'),
      response_format: zodResponseFormat(person, 'person'),
    })
    expect(completion.choices[0]?.message.parsed).toEqual({ name: 'Maria', age: 27 })
  })

  test('any JSON object', async () => {
    const { choices } = await openai.chat.completions.create({
      ...ask('Extract the name and age as JSON: Maria is 27 years old.'),
      response_format: { type: 'json_object' },
    })
    expect(JSON.parse(choices[0]?.message.content ?? '')).toBeTypeOf('object')
  })

  test('a schema that no grammar can hold to is refused, with its place', async () => {
    const schema = { type: 'object', properties: { tags: { type: 'array', contains: { type: 'string' } } } }
    const refused = await openai.chat.completions
      .create({
        ...ask('x'),
        response_format: { type: 'json_schema', json_schema: { name: 'x', schema } },
      })
      .catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(BadRequestError)
    expect(refused).toMatchObject({ code: 'invalid_request', param: 'response_format' })
    expect((refused as Error).message).toContain('/properties/tags')
  })
})

test('log probabilities: one for each token of the text', async () => {
  const { choices, usage } = await openai.chat.completions.create({
    ...ask('What is the capital of Japan?'),
    logprobs: true,
    top_logprobs: 3,
  })
  const content = choices[0]?.logprobs?.content ?? []
  expect(content.map(({ token }) => token).join('')).toBe(choices[0]?.message.content)
  expect(content).toHaveLength(usage?.completion_tokens ?? -1)
  for (const { token, logprob, bytes, top_logprobs } of content) {
    expect(logprob).toBeLessThanOrEqual(0)
    expect(top_logprobs).toHaveLength(3)
    expect(Buffer.from(bytes ?? []).toString()).toBe(token)
  }
})

test('several answers: each its own, the same again with the same seed', async () => {
  const several = { ...ask('Tell me a story about a fox.'), n: 3, seed: 7, temperature: 2, max_tokens: 20 }
  const texts = async (): Promise<string[]> =>
    (await openai.chat.completions.create(several)).choices.map(({ message }) => message.content ?? '')
  const first = await texts()
  expect(new Set(first).size).toBeGreaterThan(1)
  expect(await texts()).toEqual(first)
  const chunks = await Array.fromAsync(await openai.chat.completions.create({ ...several, stream: true }))
  const streamed = ['', '', '']
  for (const { choices } of chunks)
    for (const { index, delta } of choices) streamed[index] = (streamed[index] ?? '') + (delta.content ?? '')
  expect(streamed).toEqual(first)
})

describe('completions', () => {
  test('a text goes on', async () => {
    const prompt = 'Monday, Tuesday, Wednesday,'
    const { choices, usage } = await openai.completions.create({
      model,
      prompt,
      temperature: 0,
      max_tokens: 30,
    })
    expect(choices).toMatchObject([
      { index: 0, text: ' Thursday, Friday, Saturday, Sunday', finish_reason: 'stop', logprobs: null },
    ])
    expect(usage?.prompt_tokens).toBeGreaterThan(0)
  })

  test('the middle is filled in, streamed', async () => {
    const stream = await openai.completions.create({
      model,
      prompt: 'def add(a, b):\n    return ',
      suffix: '\n',
      temperature: 0,
      max_tokens: 20,
      stream: true,
    })
    const chunks = await Array.fromAsync(stream)
    expect(chunks.map(({ choices }) => choices[0]?.text ?? '').join('')).toBe('a + b')
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('stop')
  })

  test('several prompts, echoed, and log probabilities', async () => {
    const prompts = ['The capital of France is', 'The capital of Spain is']
    const echoed = await openai.completions.create({
      model,
      prompt: prompts,
      echo: true,
      temperature: 0,
      max_tokens: 4,
    })
    expect(echoed.choices.map(({ index, text }) => text.startsWith(prompts[index] ?? '?'))).toEqual([
      true,
      true,
    ])
    const likely = await openai.completions.create({
      model,
      prompt: prompts[0]!,
      logprobs: 2,
      temperature: 0,
      max_tokens: 4,
    })
    const { logprobs, text } = likely.choices[0]!
    expect(logprobs?.tokens?.join('')).toBe(text)
    expect(logprobs?.token_logprobs).toHaveLength(logprobs?.tokens?.length ?? -1)
  })
})

describe('embeddings', () => {
  const texts = ['The capital of France is Paris.', 'The capital of Spain is Madrid.', 'function add(a, b)']

  test('vectors, as its client asks for them and as numbers', async () => {
    const { data, usage } = await openai.embeddings.create({ model, input: texts })
    expect(data.map(({ index }) => index)).toEqual([0, 1, 2])
    const [france = [], spain = [], code = []] = data.map(({ embedding }) => embedding)
    expect(france).toHaveLength(256)
    expect(dot(france, france)).toBeCloseTo(1, 4)
    expect(dot(france, spain)).toBeGreaterThan(dot(france, code))
    expect(usage.prompt_tokens).toBeGreaterThan(15)
    expect(usage.total_tokens).toBe(usage.prompt_tokens)
    const numbers = await openai.embeddings.create({ model, input: texts[0]!, encoding_format: 'float' })
    expect(numbers.data[0]?.embedding[0]).toBeCloseTo(france[0]!, 5)
  })

  test('fewer numbers, of length 1 again; more than there are is refused', async () => {
    const { data } = await openai.embeddings.create({ model, input: texts[0]!, dimensions: 64 })
    expect(data[0]?.embedding).toHaveLength(64)
    expect(dot(data[0]!.embedding, data[0]!.embedding)).toBeCloseTo(1, 4)
    await expect(openai.embeddings.create({ model, input: 'x', dimensions: 1_000 })).rejects.toMatchObject({
      status: 400,
      code: 'invalid_request',
      param: 'dimensions',
    })
  })

  test('[P7] they cost what they say', async () => {
    const consumer = await network.newConsumer()
    const { usage } = await consumer.openai.embeddings.create({ model, input: texts })
    await network.settle(consumer)
    expect(await network.paid(consumer)).toBe(usage.prompt_tokens)
  })
})

test('[K4] tried again by the client itself, a request finds the Host that came meanwhile', async () => {
  const patient = openai.withOptions({ maxRetries: 30 })
  const answer = patient.chat.completions.create({ ...ask('What is the capital of Japan?'), model: 'late' })
  await network.startHost({ model: 'late' })
  expect((await answer).choices[0]?.message.content).toBe('The capital of Japan is Tokyo.')
})

test('an image to look at is refused, since the model sees none', async () => {
  const image_url = { url: `data:image/png;base64,${Buffer.from('png').toString('base64')}` }
  await expect(
    openai.chat.completions.create({
      model,
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is this?' },
            { type: 'image_url', image_url },
          ],
        },
      ],
    }),
  ).rejects.toMatchObject({ status: 400, code: 'unsupported_parameter', param: 'messages.0.content' })
})

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0)
}

test('every answer and every event had its published shape', async () => {
  expect(await looking.faults()).toEqual([])
  expect(looking.checked).toBeGreaterThan(20)
})
