import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { EngineEvent, EngineJob } from '../engine.ts'
import { engineJob } from '../../testing/engine-run.ts'
import type { ServedModel } from './served-model.ts'
import { randomModel } from './testing/random-model.ts'
import { LOAD_TIMEOUT_MS, runOn, serve } from './testing/served.ts'

function embedding(...input: string[]): EngineJob {
  return { kind: 'embedding', input, windowBytes: 1_000_000 }
}

/** The results of a job, their parts joined. */
function resultsOf(events: readonly EngineEvent[]): string[] {
  const results: string[] = []
  let text = ''
  for (const event of events) {
    if (event.type !== 'result') continue
    text += event.text
    if (!event.last) continue
    results.push(text)
    text = ''
  }
  return results
}

function vectorOf(result: string | undefined): number[] {
  const bytes = Buffer.from(result ?? '', 'base64')
  return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(index * 4))
}

function product(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0)
}

describe('a model that chats embeds as well', () => {
  let model: ServedModel
  beforeAll(async () => {
    model = await serve()
  }, LOAD_TIMEOUT_MS)
  afterAll(() => model.close())

  test('[P7] one vector of length 1 for each input, alike where the texts are, which state the tokens of their inputs', async () => {
    expect(model.info.kinds).toEqual(['chat', 'completion', 'embedding'])
    const { events, start, last } = await runOn(
      model,
      embedding('The capital of France is Paris.', 'The capital of Spain is Madrid.', 'function add(a, b)'),
    )
    const [france = [], spain = [], code = []] = resultsOf(events).map(vectorOf)
    expect(france).toHaveLength(256)
    expect(product(france, france)).toBeCloseTo(1, 5)
    expect(product(france, spain)).toBeGreaterThan(product(france, code) + 0.1)
    expect(start?.promptTokens).toBeGreaterThan(15)
    expect(last).toMatchObject({
      type: 'end',
      finishReason: 'stop',
      usage: { promptTokens: 0, cachedTokens: 0, generatedTokens: start?.promptTokens },
    })
    const stated = events.flatMap((event) => (event.type === 'result' && event.last ? event.tokenCount : []))
    expect(stated).toHaveLength(3)
    expect(stated.reduce((sum, tokens) => sum + tokens, 0)).toBe(start?.promptTokens)
  })

  test('the same text has the same vector, alone or among others', async () => {
    const alone = resultsOf((await runOn(model, embedding('Hello'))).events)
    const among = resultsOf((await runOn(model, embedding('Goodbye', 'Hello'))).events)
    expect(among[1]).toBe(alone[0])
  })

  test.each([
    ['one input that is too long', ['short', 'word '.repeat(3_000)], 'context_length_exceeded'],
    ['an empty input', ['', 'short'], 'invalid_payload'],
  ])('%s is refused before any work', async (_, input, code) => {
    const { events } = await runOn(model, embedding(...input))
    expect(events).toMatchObject([{ type: 'refused', refusal: { code } }])
  })

  test('ids of tokens stand for their text, and unknown ones are refused', async () => {
    const [one, other] = resultsOf(
      (
        await runOn(model, {
          kind: 'embedding',
          windowBytes: 1_000_000,
          input: [
            [300, 301],
            [300, 302],
          ],
        })
      ).events,
    )
    expect(vectorOf(one)).toHaveLength(256)
    expect(other).not.toBe(one)
    const { events } = await runOn(model, {
      kind: 'embedding',
      windowBytes: 1_000_000,
      input: [[99_999_999]],
    })
    expect(events).toMatchObject([{ type: 'refused', refusal: { code: 'invalid_payload', field: 'input' } }])
  })

  test('[F5] results wait for the window; cancelling ends the wait', async () => {
    const abort = new AbortController()
    const results: string[] = []
    // A vector of 256 numbers has 1,368 characters; its frame 24 bytes more.
    const job = { ...embedding('one', 'two', 'three'), windowBytes: 1_392 + 1_391 }
    const events: EngineEvent[] = []
    const run = model.run(job, abort.signal, (event) => {
      events.push(event)
      results.push(...resultsOf([event]))
      if (results.length === 1 && event.type === 'result') run.grant(1)
      if (results.length === 2 && event.type === 'result') abort.abort()
    })
    await run.done
    expect(results).toHaveLength(2)
    expect(events.at(-1)).toMatchObject({ type: 'end', finishReason: 'cancelled' })
  })

  test('a kind that it cannot do is refused', async () => {
    const job: EngineJob = { kind: 'ranking', query: 'a', documents: ['b'], windowBytes: 1_000 }
    expect((await runOn(model, job)).last).toMatchObject({ refusal: { code: 'unsupported_kind' } })
  })
})

test(
  'a model that only embeds',
  async () => {
    const file = randomModel('embedding')
    const model = await serve(file.path)
    try {
      expect(model.info).toMatchObject({ kinds: ['embedding'], capabilities: [], contextLength: 1_024 })
      // Longer than the 512 tokens of a usual batch: such a model must get a text whole.
      const { events, start } = await runOn(model, embedding('word '.repeat(700), 'short'))
      expect(start?.promptTokens).toBeGreaterThan(700)
      const [long = [], short = []] = resultsOf(events).map(vectorOf)
      expect([long.length, short.length]).toEqual([64, 64])
      expect(product(long, short)).toBeLessThan(0.999_999)
      expect((await runOn(model, engineJob('Hello'))).last).toMatchObject({
        refusal: { code: 'unsupported_kind' },
      })
    } finally {
      await model.close()
      file.remove()
    }
  },
  LOAD_TIMEOUT_MS,
)

test(
  'a model that ranks',
  async () => {
    const file = randomModel('ranking')
    const model = await serve(file.path)
    try {
      expect(model.info.kinds).toEqual(['ranking'])
      const documents = [
        'Paris is the capital of France.',
        'Bananas are yellow.',
        'Paris is the capital of France.',
      ]
      const job: EngineJob = {
        kind: 'ranking',
        query: 'the capital of France',
        documents,
        windowBytes: 1_000,
      }
      const { events, start, last } = await runOn(model, job)
      const scores = resultsOf(events).map(Number)
      expect(scores).toHaveLength(3)
      for (const score of scores) {
        expect(score).toBeGreaterThan(0)
        expect(score).toBeLessThan(1)
      }
      expect(scores[0]).toBe(scores[2])
      expect(scores[0]).not.toBe(scores[1])
      expect(last).toMatchObject({
        type: 'end',
        usage: { promptTokens: 0, generatedTokens: start?.promptTokens },
      })
      const long = { ...job, documents: ['short', 'word '.repeat(2_000)] }
      expect((await runOn(model, long)).last).toMatchObject({ refusal: { code: 'context_length_exceeded' } })
    } finally {
      await model.close()
      file.remove()
    }
  },
  LOAD_TIMEOUT_MS,
)
