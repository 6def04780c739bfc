import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { promisify } from 'node:util'
import type OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CheckedFetch } from '../support/checked-fetch.ts'
import { type Network, startNetwork } from '../support/network.ts'
import { tools, weather, weatherAnswer, weatherQuestion } from '../support/tools.ts'

const model = 'daisi-nano'
const hello = { model, messages: [{ role: 'user' as const, content: 'Hello' }], temperature: 0 }

const looking = new CheckedFetch()
let network: Network
let openai: OpenAI

beforeAll(async () => {
  network = await startNetwork()
  await network.startedHost()
  openai = network.consumer.openai.withOptions({ fetch: looking.fetch })
})
afterAll(() => network?.stop())

describe('responses', () => {
  const items = [{ role: 'user' as const, content: weatherQuestion }]
  const functions = tools.map(({ function: { name, description, parameters } }) => ({
    type: 'function' as const,
    name,
    description,
    parameters: { ...parameters, required: Object.keys(parameters.properties) },
    strict: false,
  }))

  test('an answer, whole and streamed by its helper', async () => {
    const request = { model, input: 'What is the capital of Japan?', temperature: 0 }
    const whole = await openai.responses.create(request)
    expect(whole).toMatchObject({ status: 'completed', output_text: 'The capital of Japan is Tokyo.' })
    const stream = openai.responses.stream(request)
    const deltas: string[] = []
    stream.on('response.output_text.delta', ({ delta }) => deltas.push(delta))
    const final = await stream.finalResponse()
    expect(deltas.join('')).toBe(whole.output_text)
    expect(final.usage?.output_tokens).toBe(whole.usage?.output_tokens)
  })

  test('a call, its result, and the answer from it', async () => {
    const first = await openai.responses.create({ model, input: items, temperature: 0, tools: functions })
    const [call] = first.output.filter((item) => item.type === 'function_call')
    expect(call).toMatchObject({ name: 'get_weather', arguments: '{"city": "Paris"}' })
    const output = {
      type: 'function_call_output' as const,
      call_id: call!.call_id,
      output: JSON.stringify(weather),
    }
    const input = [...items, call!, output]
    const second = await openai.responses.create({ model, input, temperature: 0, tools: functions })
    expect(second.output_text).toBe(weatherAnswer)
  })

  test('the form of a schema', async () => {
    const { output_text } = await openai.responses.create({
      model,
      temperature: 0,
      input: 'Extract the name and age as JSON: Maria is 27 years old.',
      text: {
        format: {
          type: 'json_schema',
          name: 'person',
          schema: {
            type: 'object',
            properties: { name: { type: 'string' }, age: { type: 'integer' } },
            required: ['name', 'age'],
          },
        },
      },
    })
    expect(JSON.parse(output_text)).toEqual({ name: 'Maria', age: 27 })
  })

  test('storing is refused by name', async () => {
    const refused = openai.responses.create({ model, input: 'Hi', store: true })
    await expect(refused).rejects.toMatchObject({
      status: 400,
      code: 'unsupported_parameter',
      param: 'store',
    })
  })
})

test('options travel as extra headers, and the Host that worked is named', async () => {
  const { response } = await openai.chat.completions.create(hello).withResponse()
  const host = response.headers.get('daisi-host') ?? ''
  expect(host).toMatch(/^[a-z]+-[a-z]+-[0-9a-f]{6}$/)
  const pinned = await openai.chat.completions
    .create(hello, { headers: { 'Daisi-Host': host } })
    .withResponse()
  expect(pinned.response.headers.get('daisi-host')).toBe(host)
  await expect(
    openai.chat.completions.create(hello, { headers: { 'Daisi-Exclude-Hosts': host } }),
  ).rejects.toMatchObject({ status: 503, code: 'no_host_available' })
})

test('the compatibility scanner passes every one of its checks', async () => {
  const cli = createRequire(import.meta.url)
    .resolve('compatcanary')
    .replace(/index\.js$/, 'cli.js')
  const args = [
    cli,
    'scan',
    '--base-url',
    `${network.url}/v1`,
    '--model',
    model,
    '--format',
    'json',
    '--fail-on',
    'any',
  ]
  const env = { ...process.env, OPENAI_API_KEY: network.consumer.key.key }
  const { stdout } = await promisify(execFile)(process.execPath, args, { env })
  const report: { results: { status: string }[] } = JSON.parse(stdout)
  expect(report.results.length).toBeGreaterThanOrEqual(7)
  expect(report.results.filter(({ status }) => status !== 'pass')).toEqual([])
})

test('every answer and every event had its published shape', async () => {
  expect(await looking.faults()).toEqual([])
  expect(looking.checked).toBeGreaterThan(10)
})
