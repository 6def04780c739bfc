import type { Run } from '@daisi/protocol'
import { chatChunkShape, chatCompletionShape, completionShape } from '@daisi/protocol/testing/openai-shapes'
import { describe, expect, test } from 'vitest'
import { able, post, spent } from './support/openai.ts'
import { audit, balanceOf } from './support/orc.ts'
import { chat, events, newScene, type Scene } from './support/scene.ts'

describe('several answers', () => {
  async function runs({ host }: Scene, count: number): Promise<Run[]> {
    const all = [await host.receive('run')]
    host.accept(all[0]!)
    while (all.length < count) {
      const run = await host.receive('run')
      host.accept(run)
      all.push(run)
    }
    return all
  }

  test('[A11] one stream of several, mixed as they come, with seeds of their own and the sum of their usage', async () => {
    const scene = await newScene(able)
    const answer = chat(scene, { n: 3, seed: 5, stream: true, stream_options: { include_usage: true } })
    const jobs = await runs(scene, 3)
    expect(jobs.map(({ payload }) => payload)).toMatchObject(
      [5, 6, 7].map((seed) => ({ sampling: { seed } })),
    )
    for (const [index, text] of ['a', 'b', 'c'].entries()) scene.host.sendFrame(jobs[index]!.jobId, 0, text)
    scene.host.sendFrame(jobs[1]!.jobId, 1, 'B')
    for (const [index, run] of jobs.entries())
      await scene.host.end(run, { promptTokens: 10, cachedTokens: 0, generatedTokens: index === 1 ? 2 : 1 })
    const told = await events(await answer)
    expect(told.pop()).toBe('[DONE]')
    const chunks = told.map((chunk) => chatChunkShape.parse(chunk))
    const texts = ['', '', '']
    for (const { choices } of chunks)
      for (const { index, delta } of choices) texts[index] += delta.content ?? ''
    expect(texts).toEqual(['a', 'bB', 'c'])
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 30, completion_tokens: 4 } })
    expect(await spent(scene)).toBe(34)
    expect(await audit()).toMatchObject({ sum: 0, drifted: 0 })
  })

  test('[A11] one that cannot begin ends the others, and nothing is charged or held', async () => {
    const scene = await newScene(able)
    const answer = chat(scene, { n: 2 })
    const first = await scene.host.receive('run')
    scene.host.accept(first)
    const second = await scene.host.receive('run')
    scene.host.send({ type: 'refused', jobId: second.jobId, code: 'invalid_payload', message: 'no' })
    expect((await answer).status).toBe(400)
    expect((await scene.host.receive('cancel')).jobId).toBe(first.jobId)
    await scene.host.end(
      first,
      { promptTokens: 10, cachedTokens: 0, generatedTokens: 0 },
      { outcome: 'cancelled' },
    )
    expect(await spent(scene)).toBe(0)
    await expect.poll(async () => (await balanceOf(scene.consumer)).available).toBeGreaterThan(0)
  })

  test('a Host that begins the second only after the first is read meanwhile, beyond what waits for a reader', async () => {
    const scene = await newScene(able)
    const answer = chat(scene, { n: 2, max_tokens: 500 })
    const first = await scene.host.receive('run')
    scene.host.accept(first)
    const second = await scene.host.receive('run')
    for (let sequence = 0; sequence < 5; sequence++) {
      // As the window allows (rule F5).
      if (sequence === 4) await scene.host.receive('credit')
      scene.host.sendFrame(first.jobId, sequence, 'x'.repeat(60_000), 60)
    }
    await scene.host.end(first, { promptTokens: 10, cachedTokens: 0, generatedTokens: 300 })
    scene.host.accept(second)
    scene.host.sendFrame(second.jobId, 0, 'y')
    await scene.host.end(second, { promptTokens: 10, cachedTokens: 10, generatedTokens: 1 })
    const { choices } = chatCompletionShape.parse(await (await answer).json())
    expect(choices.map(({ message }) => message.content?.length)).toEqual([300_000, 1])
  })

  test('a stream of several begins with what is there', async () => {
    const scene = await newScene(able)
    const answer = chat(scene, { n: 2, stream: true })
    const first = await scene.host.receive('run')
    scene.host.accept(first)
    const second = await scene.host.receive('run')
    scene.host.sendFrame(first.jobId, 0, 'early')
    const [one, two] = (await answer).body!.tee()
    const reader = one.pipeThrough(new TextDecoderStream()).getReader()
    let seen = ''
    while (!seen.includes('early')) seen += (await reader.read()).value ?? ''
    await scene.host.end(first, { promptTokens: 10, cachedTokens: 0, generatedTokens: 1 })
    scene.host.accept(second)
    scene.host.sendFrame(second.jobId, 0, 'late')
    await scene.host.end(second, { promptTokens: 10, cachedTokens: 0, generatedTokens: 1 })
    const told = await events(new Response(two))
    expect(told.pop()).toBe('[DONE]')
    expect(told.flatMap((chunk) => chatChunkShape.parse(chunk).choices[0]?.delta.content || [])).toEqual([
      'early',
      'late',
    ])
  })

  test('[A6] one that is lost breaks the stream off with an error', async () => {
    const scene = await newScene(able)
    const answer = chat(scene, { n: 2, stream: true })
    const [first, second] = await runs(scene, 2)
    scene.host.sendFrame(first!.jobId, 0, 'a')
    await scene.host.end(
      second!,
      { promptTokens: 10, cachedTokens: 0, generatedTokens: 0 },
      { outcome: 'failed' },
    )
    const told = await events(await answer)
    expect(told.at(-1)).toMatchObject({ error: { code: 'host_failed' } })
  })

  test('[K1] sent again after its first answer failed, nothing that was charged is charged again', async () => {
    const scene = await newScene(able)
    const headers = { 'idempotency-key': 'broken' }
    const answer = chat(scene, { n: 2, stream: true }, { headers })
    const [first, second] = await runs(scene, 2)
    scene.host.sendFrame(second!.jobId, 0, 'x')
    await scene.host.end(second!, { promptTokens: 10, cachedTokens: 0, generatedTokens: 1 })
    await scene.host.end(
      first!,
      { promptTokens: 10, cachedTokens: 0, generatedTokens: 0 },
      { outcome: 'failed' },
    )
    expect((await events(await answer)).at(-1)).toMatchObject({ error: { code: 'host_failed' } })
    const again = chat(scene, { n: 2, stream: true }, { headers })
    scene.host.accept(await scene.host.receive('run'))
    expect(await (await again).json()).toMatchObject({ error: { code: 'request_already_processed' } })
    expect(await spent(scene)).toBe(11)
  })

  test('[K1] sent again under its key, none of them begins', async () => {
    const scene = await newScene(able)
    const headers = { 'idempotency-key': 'several' }
    const answer = chat(scene, { n: 2 }, { headers })
    const jobs = await runs(scene, 2)
    for (const run of jobs) {
      scene.host.sendFrame(run.jobId, 0, 'x')
      await scene.host.end(run, { promptTokens: 10, cachedTokens: 0, generatedTokens: 1 })
    }
    chatCompletionShape.parse(await (await answer).json())
    const again = await chat(scene, { n: 2 }, { headers })
    expect([again.status, await again.json()]).toMatchObject([
      409,
      { error: { code: 'request_already_processed' } },
    ])
    expect(await spent(scene)).toBe(22)
  })
})

describe('completions', () => {
  test('several prompts, in order, each echoed', async () => {
    const scene = await newScene(able)
    const answer = post(scene, '/v1/completions', { prompt: ['one ', 'two '], echo: true, max_tokens: 4 })
    for (const text of ['first', 'second']) {
      const run = await scene.host.serve([text], 3)
      expect(run).toMatchObject({ kind: 'completion', payload: { sampling: { maxTokens: 4 } } })
    }
    const { choices, usage } = completionShape.parse(await (await answer).json())
    expect(choices.map(({ text }) => text)).toEqual(['one first', 'two second'])
    expect(usage).toMatchObject({ prompt_tokens: 6, completion_tokens: 2 })
  })

  test('a suffix and ids of tokens reach the Host; a stream tells what is new', async () => {
    const scene = await newScene(able)
    const infill = post(scene, '/v1/completions', { prompt: 'a', suffix: 'c', stream: true })
    expect((await scene.host.serve(['b', 'b'])).payload).toMatchObject({
      prompt: 'a',
      suffix: 'c',
      sampling: { maxTokens: 16 },
    })
    const told = await events(await infill)
    expect(told.pop()).toBe('[DONE]')
    const chunks = told.map((chunk) => completionShape.parse(chunk))
    expect(chunks.map(({ choices }) => choices[0]?.text)).toEqual(['b', 'b', ''])
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('stop')
    const ids = post(scene, '/v1/completions', { prompt: [1, 2, 3] })
    expect((await scene.host.serve(['x'])).payload).toMatchObject({ prompt: [1, 2, 3] })
    expect((await ids).status).toBe(200)
  })

  test.for<[string, Record<string, unknown>, string, string]>([
    ['too many at once', { prompt: ['a', 'b', 'c'], n: 8 }, 'invalid_request', 'prompt'],
    ['a suffix to ids', { prompt: [1], suffix: 'x' }, 'invalid_request', 'suffix'],
    ['an echo with probabilities', { prompt: 'a', echo: true, logprobs: 1 }, 'unsupported_parameter', 'echo'],
    ['an echo of ids', { prompt: [1], echo: true }, 'unsupported_parameter', 'echo'],
    ['the best of several', { prompt: 'a', best_of: 2 }, 'unsupported_parameter', 'best_of'],
    ['more probabilities than there are', { prompt: 'a', logprobs: 6 }, 'invalid_request', 'logprobs'],
  ])('%s is refused', async ([, body, code, param]) => {
    const response = await post(await newScene(able), '/v1/completions', body)
    expect([response.status, await response.json()]).toMatchObject([400, { error: { code, param } }])
  })
})
