import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import { all, events, startServer } from '../upstream/testing/server-setup.ts'
import { json, type TestRoute } from '../upstream/testing/test-server.ts'
import { imageJob, imagesOf, imageSources, openImages } from './testing/image-setup.ts'
import { png } from './testing/png.ts'

const GENERATE = 'POST /sdapi/v1/txt2img'
const INTERRUPT = 'POST /sdapi/v1/interrupt'

function checkpoint(name: string): object {
  return {
    title: `${name}.safetensors [6ce0161689]`,
    model_name: name,
    hash: '6ce0161689',
    sha256: '6ce0161689b3853acaa03779ec93eafe75a02f4ced659bee03f50797806fa2fa',
    filename: `/home/owner/stable-diffusion-webui/models/Stable-diffusion/${name}.safetensors`,
    config: null,
  }
}

const models = [checkpoint('v1-5-pruned-emaonly'), checkpoint('sd xl/base 1.0')]
const file = png(64, 64)
const answer = { images: [file.toString('base64')], parameters: {}, info: '{}' }

test('checkpoints are offered by name; neither path nor hash is told', async () => {
  const server = await startServer({ 'GET /sdapi/v1/sd-models': models })
  const offers = (await imageSources(server, 'a1111')).map(({ offer }) => offer)
  expect(offers.map(({ id }) => id)).toEqual(['v1-5-pruned-emaonly', 'sd-xl/base-1.0'])
  expect(offers[0]).toEqual({
    id: 'v1-5-pruned-emaonly',
    contextLength: 40_960,
    kinds: ['image'],
    capabilities: ['negative-prompt', 'steps', 'seed'],
  })
})

test('each image is a request of its own that leaves nothing behind at its owner', async () => {
  const server = await startServer({ 'GET /sdapi/v1/sd-models': models, [GENERATE]: answer })
  const job = imageJob({ count: 2, negativePrompt: 'dogs', steps: 12, seed: 41 })
  const list = await events(await openImages(server, 'forge'), job)
  expect(imagesOf(list)).toEqual([
    { bytes: file, tokens: 4 },
    { bytes: file, tokens: 4 },
  ])
  const bodies = server.to(GENERATE).map(({ body }) => body as Record<string, unknown>)
  expect(bodies[0]).toEqual({
    prompt: 'a cat',
    negative_prompt: 'dogs',
    width: 64,
    height: 64,
    steps: 12,
    seed: 41,
    batch_size: 1,
    n_iter: 1,
    override_settings: { sd_model_checkpoint: 'v1-5-pruned-emaonly' },
    override_settings_restore_afterwards: true,
    send_images: true,
    save_images: false,
    force_task_id: expect.stringMatching(/^task\(daisi-[0-9a-f-]{36}\)$/) as unknown,
  })
  expect(bodies[1]?.['seed']).toBe(42)
  expect(server.to(INTERRUPT)).toEqual([])
})

test('a prompt is one, however many it would be', async () => {
  const server = await startServer({ 'GET /sdapi/v1/sd-models': models, [GENERATE]: answer })
  const job = imageJob({ prompt: 'a cat AND\na dog:2 AND, HAND AND', negativePrompt: 'fog AND rain' })
  await events(await openImages(server, 'a1111'), job)
  expect(server.to(GENERATE)[0]?.body).toMatchObject({
    prompt: 'a cat and\na dog:2 and, HAND and',
    negative_prompt: 'fog and rain',
  })
})

describe('an aborted job is interrupted in the server', () => {
  test.each<[string, TestRoute | undefined, boolean]>([
    ['if it runs there', { active: true, queued: false, completed: false }, true],
    ['and no other one that runs after it', { active: false, queued: false, completed: true }, false],
    ['also where the server does not say what runs', undefined, true],
  ])('%s', async (_, progress, isInterrupted) => {
    const server = await startServer({
      'GET /sdapi/v1/sd-models': models,
      [GENERATE]: () => {},
      [INTERRUPT]: {},
      ...(progress !== undefined && { 'POST /internal/progress': progress }),
    })
    const abort = new AbortController()
    const engine = await openImages(server, 'a1111')
    const list = all(engine.run(imageJob(), abort.signal))
    const { closed, body } = await server.request(GENERATE)
    abort.abort()
    expect(await list).toMatchObject([{ type: 'end', finishReason: 'cancelled' }])
    await closed
    // The next job has its turn when the server was told of the first one.
    server.routes[GENERATE] = answer
    expect((await events(engine, imageJob())).at(-1)).toMatchObject({ type: 'end', finishReason: 'stop' })
    const asked = server.to('POST /internal/progress')[0]?.body as { id_task: string }
    expect(asked.id_task).toBe((body as { force_task_id: string }).force_task_id)
    expect(server.to(INTERRUPT)).toHaveLength(isInterrupted ? 1 : 0)
  })
  test('when its turn comes, if it waits in line there; no other job is sent before', async () => {
    const server = await startServer({ 'GET /sdapi/v1/sd-models': models, [GENERATE]: () => {} })
    const states = [true, true, false]
    server.routes['POST /internal/progress'] = (_, response) => {
      const queued = states.shift() === true
      expect(server.to(GENERATE)).toHaveLength(1)
      json(response, 200, { active: !queued, queued, completed: false })
    }
    server.routes[INTERRUPT] = {}
    const abort = new AbortController()
    const clock = new ManualClock()
    const engine = await openImages(server, 'a1111', clock)
    const list = all(engine.run(imageJob(), abort.signal))
    await server.request(GENERATE)
    server.routes[GENERATE] = answer
    abort.abort()
    expect(await list).toMatchObject([{ type: 'end', finishReason: 'cancelled' }])
    const next = events(engine, imageJob())
    for (const index of [0, 1]) {
      await server.request('POST /internal/progress', index)
      const asked = (): number => {
        clock.advance(400)
        return server.to('POST /internal/progress').length
      }
      await expect.poll(asked).toBe(index + 2)
    }
    expect((await next).at(-1)).toMatchObject({ type: 'end', finishReason: 'stop' })
    expect(server.to(INTERRUPT)).toHaveLength(1)
  })
})
