import type { Run } from '@daisi/protocol'
import { embeddingListShape } from '@daisi/protocol/testing/openai-shapes'
import { describe, expect, test } from 'vitest'
import { able, post, spent } from './support/openai.ts'
import { newScene, type Scene } from './support/scene.ts'

describe('embeddings', () => {
  const vector = (...numbers: number[]): string =>
    btoa(String.fromCharCode(...new Uint8Array(Float32Array.from(numbers).buffer)))

  /** Answers the next Job with these vectors, of so many tokens each. */
  async function embed({ host }: Scene, vectors: readonly string[], tokens: readonly number[]): Promise<Run> {
    const run = await host.receive('run')
    host.accept(run, 0)
    for (const [sequence, text] of vectors.entries())
      host.sendResult(run.jobId, sequence, text, tokens[sequence] ?? 0)
    const generatedTokens = tokens.reduce((sum, count) => sum + count, 0)
    await host.end(run, { promptTokens: 0, cachedTokens: 0, generatedTokens })
    return run
  }

  test('[P7] vectors, and exactly what their inputs took', async () => {
    const scene = await newScene(able)
    const answer = post(scene, '/v1/embeddings', { input: ['first text', 'second text'] })
    const run = await embed(scene, [vector(0.6, 0.8), vector(0, 1)], [4, 3])
    expect(run).toMatchObject({ kind: 'embedding', payload: { input: ['first text', 'second text'] } })
    const { data, usage } = embeddingListShape.parse(await (await answer).json())
    expect(data[0]?.embedding).toEqual([expect.closeTo(0.6), expect.closeTo(0.8)])
    expect(usage).toEqual({ prompt_tokens: 7, total_tokens: 7 })
    expect(await spent(scene)).toBe(7)
  })

  test('base64, and fewer numbers of length 1', async () => {
    const scene = await newScene(able)
    const base64 = post(scene, '/v1/embeddings', { input: 'text', encoding_format: 'base64' })
    await embed(scene, [vector(0.6, 0.8)], [2])
    expect(embeddingListShape.parse(await (await base64).json()).data[0]?.embedding).toBe(vector(0.6, 0.8))
    const short = post(scene, '/v1/embeddings', { input: 'text', dimensions: 1 })
    await embed(scene, [vector(0.6, 0.8)], [2])
    expect(embeddingListShape.parse(await (await short).json()).data[0]?.embedding).toEqual([1])
    const long = post(scene, '/v1/embeddings', { input: 'text', dimensions: 3 })
    await embed(scene, [vector(0.6, 0.8)], [2])
    expect(await (await long).json()).toMatchObject({
      error: { code: 'invalid_request', param: 'dimensions' },
    })
  })

  test.for<[string, readonly string[]]>([
    ['too few vectors', []],
    ['what is no base64', ['?']],
    ['half a number', [btoa('abc')]],
    ['what is no number', [vector(Number.NaN)]],
  ])('%s: the Host failed', async ([, vectors]) => {
    const scene = await newScene(able)
    const answer = post(scene, '/v1/embeddings', { input: 'text' })
    await embed(
      scene,
      vectors,
      vectors.map(() => 2),
    )
    expect([(await answer).status, await (await answer).json()]).toMatchObject([
      502,
      { error: { code: 'host_failed' } },
    ])
  })

  test('[P7] [T4] a Host that counts more than was held for is asked again, and never paid beyond the bytes', async () => {
    const scene = await newScene(able)
    const answer = post(scene, '/v1/embeddings', { input: '1 2 3 4 5' })
    const first = await scene.host.receive('run')
    scene.host.send({
      type: 'refused',
      jobId: first.jobId,
      code: 'token_budget',
      message: 'more',
      promptTokens: 9,
    })
    await embed(scene, [vector(1)], [9])
    embeddingListShape.parse(await (await answer).json())
    expect(await spent(scene)).toBe(9)
    const greedy = post(scene, '/v1/embeddings', { input: '1' })
    const run = await scene.host.receive('run')
    scene.host.accept(run, 0)
    scene.host.sendResult(run.jobId, 0, vector(1), 500)
    expect((await scene.host.closed).code).toBe(4400)
    expect((await greedy).status).toBe(502)
    expect(await spent(scene)).toBe(9)
  })

  test.for<[string, string, number]>([
    ['a result without a vector', '', 1],
    ['a result at more than its input can take', 'AAAAAAAA', 40],
  ])('[P7] %s is not paid', async ([, text, tokens]) => {
    const scene = await newScene(able)
    const answer = post(scene, '/v1/embeddings', { input: ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'] })
    const run = await scene.host.receive('run')
    scene.host.accept(run, 0)
    scene.host.sendResult(run.jobId, 0, text, tokens)
    expect((await scene.host.closed).code).toBe(4400)
    expect((await answer).status).toBe(502)
    expect(await spent(scene)).toBe(0)
  })

  test('[J11] what a Host refuses names the input', async () => {
    const scene = await newScene(able)
    const answer = post(scene, '/v1/embeddings', { input: '' })
    const { jobId } = await scene.host.receive('run')
    scene.host.send({
      type: 'refused',
      jobId,
      code: 'invalid_payload',
      message: 'input 0 is empty',
      field: 'input',
    })
    expect(await (await answer).json()).toMatchObject({ error: { code: 'invalid_request', param: 'input' } })
  })
})
