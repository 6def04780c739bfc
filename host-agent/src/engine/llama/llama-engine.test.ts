import { afterEach, describe, expect, test } from 'vitest'
import { createLogger } from '../../log.ts'
import { type Collected, engineJob, summarize } from '../../testing/engine-run.ts'
import { goldenConversations, MODEL_PATH } from '../../testing/model.ts'
import type { EngineEvent, EngineRun } from '../engine.ts'
import { LlamaEngine } from './llama-engine.ts'

const logger = createLogger('silent', 'json')
const never = new AbortController().signal
let engine: LlamaEngine | undefined

afterEach(() => engine?.close())

async function open(slots = 2): Promise<LlamaEngine> {
  engine = await LlamaEngine.open({ modelPath: MODEL_PATH, slots, gpu: false }, logger)
  return engine
}

async function collect(run: EngineRun, onEvent: (event: EngineEvent) => void = () => {}): Promise<Collected> {
  const events: EngineEvent[] = []
  for await (const event of run) {
    events.push(event)
    onEvent(event)
  }
  return summarize(events)
}

describe('the engine process', () => {
  test('answers through the process, with the model described', async () => {
    const opened = await open()
    expect(opened.info).toMatchObject({ contextLength: 2048, slots: 2 })
    const { text, last } = await collect(opened.run(engineJob('What is the capital of France?'), never))
    expect(text).toBe('The capital of France is Paris.')
    expect(last).toMatchObject({ type: 'end', finishReason: 'stop' })
  })

  test('answers side by side are the same as one after the other', async () => {
    const opened = await open(4)
    const conversations = goldenConversations()
    for (let round = 0; round < 8; round++)
      for (let index = 0; index < conversations.length; index += 4) {
        const group = conversations.slice(index, index + 4)
        const runs = group.map((messages) =>
          opened.run(engineJob(messages.slice(0, -1), { maxTokens: 500 }), never),
        )
        const answers = await Promise.all(runs.map((run) => collect(run)))
        expect(answers.map((answer) => answer.text)).toEqual(
          group.map((messages) => messages.at(-1)?.content),
        )
      }
  })

  test('an answer begins while others are under way, also where a sequence has to be made ready for it', async () => {
    const opened = await open(3)
    const ask = (prompt: string, onEvent?: (event: EngineEvent) => void): Promise<Collected> =>
      collect(opened.run(engineJob(prompt, { maxTokens: 400 }), never), onEvent)
    const long = [
      'Count from 0 to 60 and say what comes next.',
      'Count from 1 to 61 and say what comes next.',
    ]
    // Every sequence has tokens of an answer to another prompt.
    await Promise.all(
      ['What is a Host?', 'What is an Orc?', 'What is a Consumer?'].map((prompt) => ask(prompt)),
    )
    const order: string[] = []
    const begun = long.map(() => Promise.withResolvers<void>())
    const answers = long.map(async (prompt, index) => {
      const { tokenIds } = await ask(prompt, ({ type }) => type === 'delta' && begun[index]?.resolve())
      order.push(prompt)
      expect(tokenIds.length).toBeGreaterThan(100)
    })
    await Promise.all(begun.map(({ promise }) => promise))
    await ask('What is the capital of France?')
    order.push('newcomer')
    await Promise.all(answers)
    expect(order).toEqual(['newcomer', ...order.slice(1)])
  })

  test('[J5] cancel and [F5] grant reach it', async () => {
    const opened = await open()
    const abort = new AbortController()
    const job = { ...engineJob('Explain DAISI in detail.', { maxTokens: 400 }), windowBytes: 60 }
    const run = opened.run(job, abort.signal)
    let deltas = 0
    const { last } = await collect(run, (event) => {
      if (event.type !== 'delta') return
      deltas++
      if (deltas === 1) run.grant(60)
      else abort.abort()
    })
    expect(deltas).toBeGreaterThan(1)
    expect(last).toMatchObject({ type: 'end', finishReason: 'cancelled' })
  })

  test('when it dies, its jobs fail at once and it is started again', async () => {
    const opened = await open()
    const changes: boolean[] = []
    const ready = new Promise<void>((resolve) => {
      opened.onReadyChange(() => {
        changes.push(opened.ready)
        if (opened.ready) resolve()
      })
    })
    const job = { ...engineJob('Explain DAISI in detail.'), windowBytes: 60 }
    const { last } = await collect(opened.run(job, never), (event) => {
      if (event.type === 'delta' && opened.processId !== undefined) process.kill(opened.processId, 'SIGKILL')
    })
    expect(last).toMatchObject({ type: 'failed' })
    const refused = await collect(opened.run(engineJob('Hello'), never))
    expect(refused.last).toMatchObject({ type: 'refused', refusal: { code: 'model_not_loaded' } })
    await ready
    expect(changes).toEqual([false, true])
    const again = await collect(opened.run(engineJob('What is the capital of France?'), never))
    expect(again.text).toBe('The capital of France is Paris.')
  })

  test('when it dies, another model lives on', async () => {
    const [one, two] = await Promise.all([open(), open()])
    try {
      const slow = { ...engineJob('Explain DAISI in detail.'), windowBytes: 60 }
      const other = two.run(slow, never)
      const { last } = await collect(one.run(slow, never), (event) => {
        if (event.type === 'delta' && one.processId !== undefined) process.kill(one.processId, 'SIGKILL')
      })
      expect(last).toMatchObject({ type: 'failed' })
      expect([one.ready, two.ready]).toEqual([false, true])
      other.grant(1_000_000)
      expect((await collect(other)).last).toMatchObject({ type: 'end' })
    } finally {
      await Promise.all([one.close(), two.close()])
    }
  })

  test('a file that is no model is an error, not a crash', async () => {
    const options = { modelPath: import.meta.filename, slots: 1, gpu: false }
    await expect(LlamaEngine.open(options, logger)).rejects.toMatchObject({ code: 'model_unusable' })
  })
})
