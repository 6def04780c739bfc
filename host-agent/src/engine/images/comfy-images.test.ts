import { describe, expect, test } from 'vitest'
import { all, events, startServer } from '../upstream/testing/server-setup.ts'
import { json, type TestRoute } from '../upstream/testing/test-server.ts'
import { imageJob, imagesOf, imageSources, openImages } from './testing/image-setup.ts'
import { png } from './testing/png.ts'

const PROMPT = 'POST /prompt'
const file = png(64, 64)

function loader(...choice: readonly unknown[]): object {
  const required = { ckpt_name: choice }
  return { CheckpointLoaderSimple: { input: { required }, output: ['MODEL', 'CLIP', 'VAE'] } }
}

/** A ComfyUI that has carried out each workflow when it is asked for it. */
function comfy(entry: object, differences: Record<string, TestRoute> = {}): Record<string, TestRoute> {
  return {
    'GET /object_info/CheckpointLoaderSimple': loader(['v1-5-pruned.safetensors', 'SDXL\\base.safetensors']),
    [PROMPT]: { prompt_id: 'p-1', number: 3, node_errors: {} },
    'GET /history/p-1': { 'p-1': entry },
    'POST /history': {},
    'POST /queue': {},
    'POST /interrupt': {},
    'GET /queue': { queue_running: [], queue_pending: [] },
    'GET /view': (_, response) => void response.writeHead(200, { 'content-type': 'image/png' }).end(file),
    ...differences,
  }
}

const done = {
  prompt: [3, 'p-1', {}, {}, ['image']],
  outputs: { image: { images: [{ filename: 'ComfyUI_temp_a_00001_.png', subfolder: '', type: 'temp' }] } },
  status: { status_str: 'success', completed: true, messages: [] },
}

describe('checkpoints are found in the description of their loader', () => {
  test.each([
    [
      'as older versions write it',
      loader(['v1-5-pruned.safetensors', 'SDXL\\base.safetensors'], { tooltip: 'x' }),
    ],
    ['as newer ones do', loader('COMBO', { options: ['v1-5-pruned.safetensors', 'SDXL\\base.safetensors'] })],
  ])('%s', async (_, info) => {
    const server = await startServer({ 'GET /object_info/CheckpointLoaderSimple': info })
    const offers = (await imageSources(server, 'comfyui')).map(({ offer }) => offer)
    expect(offers.map(({ id }) => id)).toEqual(['v1-5-pruned', 'base'])
  })
})

test('a workflow is queued, awaited and fetched, and its prompt does not stay in the history', async () => {
  let asked = 0
  const history: TestRoute = (_, response) => json(response, 200, asked++ === 0 ? {} : { 'p-1': done })
  const server = await startServer(comfy(done, { 'GET /history/p-1': history }))
  const job = imageJob({ negativePrompt: 'dogs', steps: 4, seed: 99 })
  const list = await events(await openImages(server, 'comfyui'), job)
  expect(imagesOf(list)).toEqual([{ bytes: file, tokens: 4 }])
  const { prompt } = (await server.request(PROMPT)).body as {
    prompt: Record<string, { class_type: string; inputs: object }>
  }
  expect(Object.values(prompt).map(({ class_type }) => class_type)).toEqual([
    'CheckpointLoaderSimple',
    'EmptyLatentImage',
    'CLIPTextEncode',
    'CLIPTextEncode',
    'KSampler',
    'VAEDecode',
    'PreviewImage',
  ])
  expect(prompt['checkpoint']?.inputs).toEqual({ ckpt_name: 'v1-5-pruned.safetensors' })
  expect(prompt['canvas']?.inputs).toEqual({ width: 64, height: 64, batch_size: 1 })
  expect(prompt['wanted']?.inputs).toMatchObject({ text: 'a cat' })
  expect(prompt['unwanted']?.inputs).toMatchObject({ text: 'dogs' })
  expect(prompt['sampler']?.inputs).toMatchObject({ steps: 4, seed: 99, positive: ['wanted', 0] })
  const { query } = await server.request('GET /view')
  expect(Object.fromEntries(query)).toEqual({
    filename: 'ComfyUI_temp_a_00001_.png',
    subfolder: '',
    type: 'temp',
  })
  expect(server.to('POST /history').map(({ body }) => body)).toEqual([{ delete: ['p-1'] }])
  expect(server.to('POST /interrupt')).toEqual([])
})

describe('a workflow that does not end well', () => {
  test.each<[string, Record<string, TestRoute>]>([
    ['fails in the server', comfy({ ...done, status: { status_str: 'error', completed: false } })],
    ['has no image', comfy({ ...done, outputs: {} })],
    ['loses its image', comfy(done, { 'GET /view': (_, response) => json(response, 404, {}) })],
    ['is refused', comfy(done, { [PROMPT]: (_, response) => json(response, 500, {}) })],
    ['gets no number', comfy(done, { [PROMPT]: {} })],
    ['is not listed properly', comfy(done, { 'GET /history/p-1': { 'p-1': { outputs: 'none' } } })],
  ])('%s', async (_, routes) => {
    const list = await events(await openImages(await startServer(routes), 'comfyui'), imageJob())
    expect(list).toMatchObject([{ type: 'refused', refusal: { code: 'model_not_loaded' } }])
  })
})

describe('an aborted job is taken out of the server', () => {
  test('also if it is aborted while it is queued', async () => {
    const { promise: aborted, resolve } = Promise.withResolvers<void>()
    const routes = comfy(done, {
      'POST /prompt': (_, response) => void aborted.then(() => json(response, 200, { prompt_id: 'p-1' })),
      'GET /queue': { queue_running: [], queue_pending: [] },
    })
    const server = await startServer(routes)
    const abort = new AbortController()
    const list = all((await openImages(server, 'comfyui')).run(imageJob(), abort.signal))
    await server.request('POST /prompt')
    abort.abort()
    expect(await list).toMatchObject([{ type: 'end', finishReason: 'cancelled' }])
    resolve()
    expect((await server.request('POST /queue')).body).toEqual({ delete: ['p-1'] })
    await server.request('POST /history')
  })

  test.each([
    ['if it runs there', 'p-1', [{ prompt_id: 'p-1' }]],
    ["and one of the owner's that runs is left alone", 'p-of-the-owner', []],
  ])('%s', async (_, runs, interrupted) => {
    const { promise: asked, resolve } = Promise.withResolvers<void>()
    const routes = comfy(done, {
      'GET /history/p-1': (_, response) => {
        resolve()
        json(response, 200, {})
      },
      'GET /queue': { queue_running: [[1, runs, {}, {}, []]], queue_pending: [] },
    })
    const server = await startServer(routes)
    const abort = new AbortController()
    const list = all((await openImages(server, 'comfyui')).run(imageJob(), abort.signal))
    await asked
    abort.abort()
    expect(await list).toMatchObject([{ type: 'end', finishReason: 'cancelled' }])
    await server.request('POST /history')
    expect(server.to('POST /queue').map(({ body }) => body)).toEqual([{ delete: ['p-1'] }])
    expect(server.to('POST /interrupt').map(({ body }) => body)).toEqual(interrupted)
  })
})
