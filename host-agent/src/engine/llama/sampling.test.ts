import type { Sampling } from '@daisi/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Collected, engineJob } from '../../testing/engine-run.ts'
import type { ServedModel } from './served-model.ts'
import { LOAD_TIMEOUT_MS, runOn, serve } from './testing/served.ts'

const QUESTION = 'Tell me a story about a fox.'
let model: ServedModel
let greedy: Collected

beforeAll(async () => {
  model = await serve()
  greedy = await answer({ temperature: 0 })
}, LOAD_TIMEOUT_MS)
afterAll(() => model.close())

function answer(sampling: Partial<Sampling>, continuation: readonly number[] = []): Promise<Collected> {
  const job = engineJob(QUESTION, { maxTokens: 40, ...sampling })
  return runOn(model, { ...job, continuation })
}

/** Most often that one token occurs. */
function mostRepeats({ tokenIds }: Collected): number {
  const counts = new Map<number, number>()
  for (const id of tokenIds) counts.set(id, (counts.get(id) ?? 0) + 1)
  return Math.max(...counts.values())
}

describe('filters', () => {
  test.each([{ topK: 1 }, { minP: 1 }, { topP: 0.000_1 }])(
    '%o leaves the most likely token only',
    async (filter) => {
      expect((await answer({ temperature: 2, seed: 1, ...filter })).text).toBe(greedy.text)
    },
  )

  test('without a filter the same seed wanders off, and a wide one changes nothing', async () => {
    const random = await answer({ temperature: 2, seed: 1 })
    expect(random.text).not.toBe(greedy.text)
    expect((await answer({ temperature: 2, seed: 1, topK: 0, minP: 0, topP: 1 })).text).toBe(random.text)
  })

  test('an absent temperature is 1', async () => {
    const job = engineJob(QUESTION, { maxTokens: 40, seed: 4 })
    const { temperature: _, topP: __, ...rest } = job.sampling
    const absent = await runOn(model, { ...job, sampling: rest })
    expect(absent.text).toBe((await answer({ temperature: 1, topP: 1, seed: 4 })).text)
  })
})

describe('penalties', () => {
  const counting = (sampling: Partial<Sampling>, continuation: readonly number[] = []): Promise<Collected> =>
    runOn(model, { ...engineJob('Count from 1 to 9.', { maxTokens: 30, ...sampling }), continuation })

  test('a presence penalty keeps each token to fewer uses, and a negative one asks for more', async () => {
    const plain = await counting({})
    const often = mostRepeats(plain)
    expect(often).toBeGreaterThan(5)
    expect(mostRepeats(await counting({ presencePenalty: 2, frequencyPenalty: 2 }))).toBeLessThan(often)
    const eager = await counting({ presencePenalty: -2, frequencyPenalty: -2 })
    expect(eager.text).not.toBe(plain.text)
  })

  test('a frequency penalty grows with each use, a presence penalty does not', async () => {
    const bias = { logitBias: { '500': 100 }, maxTokens: 60, temperature: 0 }
    // 2 are taken each time: after 40 uses less than 20 of the 100 are left, and other tokens overtake.
    expect(new Set((await answer({ ...bias, presencePenalty: 2 })).tokenIds).size).toBe(1)
    const grown = await answer({ ...bias, frequencyPenalty: 2 })
    expect(new Set(grown.tokenIds.slice(0, 30)).size).toBe(1)
    expect(new Set(grown.tokenIds).size).toBeGreaterThan(1)
  })

  test('a repeat penalty sees the last 64 tokens, the prompt among them', async () => {
    const strong = await answer({ repeatPenalty: 10 })
    expect(mostRepeats(strong)).toBe(1)
    // The prompt has the word too.
    expect(greedy.text).toContain(' fox')
    expect(strong.text).not.toContain(' fox')
  })

  test.each([
    ['greedy', { temperature: 0 }],
    ['seeded', { temperature: 1.5, seed: 3 }],
  ])('[J8] %s: a continuation counts as part of the answer', async (_, how) => {
    const sampling = { ...how, repeatPenalty: 1.3, frequencyPenalty: 0.7, presencePenalty: 0.4 }
    const whole = await answer(sampling)
    for (const cut of [1, 7, 20]) {
      const rest = await answer(sampling, whole.tokenIds.slice(0, cut))
      expect(rest.tokenIds).toEqual(whole.tokenIds.slice(cut))
    }
  })
})

describe('logit bias', () => {
  test('-100 forbids a token, 100 all others', async () => {
    const [first = 0] = greedy.tokenIds
    const without = await answer({ temperature: 2, seed: 1, logitBias: { [String(first)]: -100 } })
    expect(without.tokenIds).not.toContain(first)
    const only = await answer({ temperature: 2, seed: 1, maxTokens: 5, logitBias: { '500': 100 } })
    expect(only.tokenIds).toEqual([500, 500, 500, 500, 500])
  })

  test('it reaches the tokens that end an answer', async () => {
    const short = await runOn(model, engineJob('ping', { maxTokens: 20 }))
    expect(short.last).toMatchObject({ finishReason: 'stop' })
    // <|endoftext|> and <|im_end|>.
    const logitBias = { '2036': -100, '2038': -100 }
    const endless = await runOn(model, engineJob('ping', { maxTokens: 20, logitBias }))
    expect(endless.last).toMatchObject({ finishReason: 'length' })
  })

  test('a token that the model does not know is refused', async () => {
    const { last } = await answer({ logitBias: { '2048': 1 } })
    expect(last).toMatchObject({ type: 'refused', refusal: { code: 'invalid_payload' } })
  })
})

describe('log probabilities', () => {
  const withLogprobs = (logprobs: number, sampling: Partial<Sampling> = {}): Promise<Collected> =>
    runOn(model, { ...engineJob(QUESTION, { maxTokens: 20, ...sampling }), logprobs })
  const logprobsOf = ({ events }: Collected) =>
    events.flatMap((event) => (event.type === 'delta' ? (event.logprobs ?? []) : []))

  test('one for each token, with the most likely ones in order', async () => {
    const answered = await withLogprobs(3)
    expect(answered.text).toBe(greedy.text.slice(0, answered.text.length))
    const logprobs = logprobsOf(answered)
    expect(logprobs).toHaveLength(answered.tokenIds.length)
    expect(logprobs.map(({ token }) => token).join('')).toBe(answered.text)
    for (const { token, logprob, top } of logprobs) {
      expect(top).toHaveLength(3)
      expect(top[0]).toEqual({ token, logprob })
      expect(top.map((entry) => entry.logprob)).toEqual(
        top.map((entry) => entry.logprob).toSorted((a, b) => b - a),
      )
      expect(top.reduce((sum, entry) => sum + Math.exp(entry.logprob), 0)).toBeLessThan(1.000_01)
    }
  })

  test('they are the model’s own, whatever the sampling does', async () => {
    const plain = logprobsOf(await withLogprobs(5, { maxTokens: 1 }))[0]
    const [first = 0] = greedy.tokenIds
    const changed = await withLogprobs(5, {
      maxTokens: 1,
      temperature: 2,
      topK: 2,
      seed: 1,
      logitBias: { [String(first)]: -100 },
    })
    const other = logprobsOf(changed)[0]
    expect(changed.tokenIds[0]).not.toBe(first)
    expect(other?.top).toEqual(plain?.top)
    expect(other?.logprob).toBeLessThan(plain?.logprob ?? 0)
  })

  test('all of them together are certain', async () => {
    // 20 of 2,048 tokens: for a model that is sure, all but nothing is among them.
    const [entry] = logprobsOf(await withLogprobs(20, { maxTokens: 1 }))
    const sum = entry?.top.reduce((total, { logprob }) => total + Math.exp(logprob), 0)
    expect(sum).toBeGreaterThan(0.999)
  })

  test.each([
    { temperature: 0 },
    { temperature: 1.5, seed: 9 },
    { temperature: 1.5, seed: 9, topK: 40, repeatPenalty: 1.2 },
  ])('asking for them does not change the answer: %o', async (sampling) => {
    const without = await answer({ ...sampling, maxTokens: 20 })
    const asked = await withLogprobs(0, sampling)
    expect(asked.tokenIds).toEqual(without.tokenIds)
    expect(logprobsOf(asked)[0]?.top).toEqual([])
  })
})
