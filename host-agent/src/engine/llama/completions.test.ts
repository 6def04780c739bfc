import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Collected, summarize } from '../../testing/engine-run.ts'
import { MODEL_PATH } from '../../testing/model.ts'
import type { EngineEvent } from '../engine.ts'
import { AnswerModel } from './answer-model.ts'
import { loadModel, type LoadedModel } from './load.ts'
import { LOAD_TIMEOUT_MS } from './testing/served.ts'

let loaded: LoadedModel
let answers: AnswerModel

beforeAll(async () => {
  loaded = await loadModel({ modelPath: MODEL_PATH, slots: 2, gpu: false })
  answers = await AnswerModel.open(loaded)
}, LOAD_TIMEOUT_MS)
afterAll(async () => {
  answers.close()
  await loaded.model.llama.dispose()
})

describe('completions', () => {
  async function complete(payload: { prompt: string | number[]; suffix?: string }): Promise<Collected> {
    const events: EngineEvent[] = []
    const job = {
      kind: 'completion' as const,
      ...payload,
      sampling: { temperature: 0, maxTokens: 60, stop: [] },
      continuation: [],
      windowBytes: 1_000_000,
    }
    await answers.run(job, new AbortController().signal, (event) => events.push(event)).done
    return summarize(events)
  }

  test.each([
    ['The capital of France is', ' Paris.'],
    ['def add(a, b):\n', '    return a + b\n'],
    ['Monday, Tuesday, Wednesday,', ' Thursday, Friday, Saturday, Sunday'],
  ])('%j goes on without a template', async (prompt, text) => {
    expect(await complete({ prompt })).toMatchObject({ text, last: { type: 'end', finishReason: 'stop' } })
    const ids = loaded.model.tokenize(prompt)
    expect((await complete({ prompt: ids })).text).toBe(text)
  })

  test.each([
    ['def add(a, b):\n    return ', '\n', 'a + b'],
    ['function isEven(n: number): boolean {\n  return ', '\n}\n', 'n % 2 === 0;'],
  ])('what is between %j and %j is filled in', async (prompt, suffix, text) => {
    expect((await complete({ prompt, suffix })).text).toBe(text)
  })

  test('an unknown token id is refused', async () => {
    const { last } = await complete({ prompt: [99_999_999] })
    expect(last).toMatchObject({ type: 'refused', refusal: { code: 'invalid_payload', field: 'prompt' } })
  })
})
