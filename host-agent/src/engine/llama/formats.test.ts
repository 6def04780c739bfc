import type { OutputFormat, Sampling } from '@daisi/protocol'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type Collected, engineJob } from '../../testing/engine-run.ts'
import { GrammarMeter } from './grammar-meter.ts'
import type { ServedModel } from './served-model.ts'
import { LOAD_TIMEOUT_MS, runOn, serve } from './testing/served.ts'

const QUESTION = 'Extract the name and age as JSON: Maria is 27 years old.'
const schema = {
  type: 'object',
  properties: {
    who: { type: 'string', maxLength: 8 },
    years: { type: 'integer' },
    sure: { type: 'boolean' },
  },
  required: ['who', 'years', 'sure'],
  additionalProperties: false,
}
let model: ServedModel

beforeAll(async () => {
  model = await serve()
}, LOAD_TIMEOUT_MS)
afterAll(() => model.close())

function answer(
  output: OutputFormat,
  sampling: Partial<Sampling> = {},
  continuation: readonly number[] = [],
): Promise<Collected> {
  return runOn(model, { ...engineJob(QUESTION, { maxTokens: 120, ...sampling }), output, continuation })
}

test('any JSON object', async () => {
  const { text, last } = await answer({ type: 'json' })
  expect(JSON.parse(text)).toEqual({ name: 'Maria', age: 27 })
  expect(last).toMatchObject({ type: 'end', finishReason: 'stop' })
})

test('a question that is not about JSON is answered in JSON all the same', async () => {
  const job = engineJob('Hello', { maxTokens: 200, temperature: 2, seed: 3, topK: 40 })
  const { text } = await runOn(model, { ...job, output: { type: 'json-schema', schema } })
  const value = JSON.parse(text) as Record<string, unknown>
  expect(Object.keys(value)).toEqual(['who', 'years', 'sure'])
  expect(typeof value['years']).toBe('number')
}, 20_000)

test('a grammar', async () => {
  const { text } = await answer({ type: 'grammar', gbnf: 'root ::= ("yes" | "no") " " [0-9]{3}' })
  expect(text).toMatch(/^(yes|no) \d{3}$/)
}, 20_000)

test.each([
  ['greedy', { temperature: 0 }],
  ['seeded', { temperature: 1.5, seed: 5 }],
])(
  '[J8] %s: an answer that is cut goes on inside of its grammar',
  async (_, sampling) => {
    const output = { type: 'json-schema', schema } as const
    const whole = await answer(output, sampling)
    expect(Object.keys(JSON.parse(whole.text) as object)).toEqual(['who', 'years', 'sure'])
    for (let cut = 1; cut < whole.tokenIds.length; cut++) {
      const rest = await answer(output, sampling, whole.tokenIds.slice(0, cut))
      expect(rest.tokenIds).toEqual(whole.tokenIds.slice(cut))
    }
  },
  20_000,
)

test('log probabilities and a grammar go together', async () => {
  const output = { type: 'json-schema', schema } as const
  const sampling = { temperature: 1.5, seed: 5 }
  const plain = await answer(output, sampling)
  const job = { ...engineJob(QUESTION, { maxTokens: 120, ...sampling }), output, logprobs: 1 }
  expect((await runOn(model, job)).tokenIds).toEqual(plain.tokenIds)
}, 20_000)

test.each<[string, Partial<Sampling>, number | undefined]>([
  ['greedy', { temperature: 0 }, undefined],
  ['seeded', { temperature: 1, seed: 1 }, undefined],
  ['with log probabilities', { temperature: 0 }, 1],
])(
  '%s: a grammar that leads to where no token fits ends its own answer, and nothing else',
  async (_, sampling, logprobs) => {
    const gbnf = 'root ::= "a" <[999999999]>'
    const job = { ...engineJob(QUESTION, sampling), output: { type: 'grammar', gbnf } as const }
    const { text, last } = await runOn(model, { ...job, ...(logprobs !== undefined && { logprobs }) })
    expect(text).toBe('a')
    expect(last?.type).toBe(logprobs === undefined ? 'failed' : 'end')
    expect((await answer({ type: 'json' })).last).toMatchObject({ type: 'end', finishReason: 'stop' })
  },
  20_000,
)

test('a bias against everything that the grammar allows does not break it', async () => {
  const logitBias = Object.fromEntries(Array.from({ length: 1_024 }, (_, id) => [String(id), -100]))
  const { text } = await answer({ type: 'grammar', gbnf: 'root ::= "a"' }, { logitBias })
  expect(text).toBe('a')
}, 20_000)

describe('what cannot be followed is refused', () => {
  test.each([
    [
      'a schema',
      { type: 'json-schema', schema: { type: 'object', properties: { a: { not: {} } } } },
      '/properties/a/not',
    ],
    ['a grammar with an unknown rule', { type: 'grammar', gbnf: 'root ::= nothing' }, ''],
    ['a grammar without a root', { type: 'grammar', gbnf: 'a ::= "x"' }, ''],
    ['a grammar that refers to itself first', { type: 'grammar', gbnf: 'root ::= root "a" | "a"' }, ''],
  ] as const)(
    '%s',
    async (_, output, where) => {
      const { events } = await answer(output)
      expect(events).toMatchObject([
        { type: 'refused', refusal: { code: 'invalid_payload', message: expect.stringContaining(where) } },
      ])
    },
    20_000,
  )

  test('a continuation that the grammar does not allow', async () => {
    const { tokenIds } = await runOn(model, engineJob('What is a Host?', { maxTokens: 3 }))
    const { last } = await answer({ type: 'json' }, {}, tokenIds)
    expect(last).toMatchObject({ type: 'refused', refusal: { code: 'invalid_payload' } })
  })

  test('a grammar that takes forever to read, and the next one is read', async () => {
    const { last } = await answer({ type: 'grammar', gbnf: 'root ::= ((("a"?){100}){100}){100}' })
    expect(last).toMatchObject({ type: 'refused', refusal: { code: 'invalid_payload' } })
    expect((await answer({ type: 'grammar', gbnf: 'root ::= "fine"' })).text).toBe('fine')
  }, 30_000)

  test('a grammar with too many ways to go on', async () => {
    const gbnf = `root ::= ${'"a"? '.repeat(400)}"b"`
    const { last } = await answer({ type: 'grammar', gbnf })
    expect(last).toMatchObject({ type: 'refused', refusal: { code: 'invalid_payload' } })
  }, 30_000)
})

describe('a grammar that becomes slow', () => {
  test('loses its job, and one that waited for it does not', () => {
    let now = 1_000_000
    const slow = new GrammarMeter(() => now)
    const innocent = new GrammarMeter(() => now)
    slow.started()
    innocent.started()
    now += 3_001
    expect(() => slow.finished()).toThrow()
    now += 5
    expect(() => innocent.finished()).not.toThrow()
  })

  test('ends the process if it does not come back', () => {
    vi.useFakeTimers()
    try {
      const bite = vi.fn()
      const meter = new GrammarMeter(() => 0, bite)
      meter.started()
      vi.advanceTimersByTime(29_999)
      meter.stop()
      vi.advanceTimersByTime(60_000)
      expect(bite).not.toHaveBeenCalled()
      meter.started()
      vi.advanceTimersByTime(30_001)
      expect(bite).toHaveBeenCalledOnce()
    } finally {
      vi.useRealTimers()
    }
  })
})
