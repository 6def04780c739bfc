import { imageTokens } from '@daisi/protocol'
import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import type { EngineEvent } from '../engine.ts'
import { all, events, startServer } from '../upstream/testing/server-setup.ts'
import { json, type TestRoute } from '../upstream/testing/test-server.ts'
import { imageJob, imagesOf, imageSources, openImages } from './testing/image-setup.ts'
import { png } from './testing/png.ts'

const GENERATE = 'POST /v1/images/generations'
const localAi = { object: 'list', data: [{ id: 'flux.1-schnell', object: 'model' }] }
const sdServer = { data: [{ id: 'sd-cpp-local', object: 'model', owned_by: 'local' }] }

function answer(file: Buffer): object {
  return { created: 1, output_format: 'png', data: [{ b64_json: file.toString('base64') }] }
}

function routes(generate: TestRoute, models: object = localAi): Record<string, TestRoute> {
  return { 'GET /v1/models': models, [GENERATE]: generate }
}

test('an image server is offered without a hash and with what it honours', async () => {
  const other = await startServer(routes({}))
  expect((await imageSources(other, 'images')).map(({ offer }) => offer)).toEqual([
    { id: 'flux.1-schnell', contextLength: 40_960, kinds: ['image'], capabilities: [] },
  ])
  const own = await startServer(routes({}, sdServer))
  expect((await imageSources(own, 'images'))[0]?.offer.capabilities).toEqual([
    'negative-prompt',
    'steps',
    'seed',
  ])
})

test('images come one after the other, as they were made, and cost their published equivalent', async () => {
  const file = png(512, 64)
  const server = await startServer(routes(answer(file)))
  const job = imageJob({ count: 2, width: 512, height: 64 })
  const list = await events(await openImages(server, 'images'), job)
  expect(list[0]).toEqual({ type: 'start', promptTokens: 0, cachedTokens: 0 })
  const tokens = imageTokens(512, 64)
  expect(imagesOf(list)).toEqual([
    { bytes: file, tokens },
    { bytes: file, tokens },
  ])
  expect(list.at(-1)).toEqual({
    type: 'end',
    finishReason: 'stop',
    usage: { promptTokens: 0, cachedTokens: 0, generatedTokens: 2 * tokens },
  })
  expect(server.to(GENERATE)).toHaveLength(2)
  expect(server.to(GENERATE)[0]?.body).toEqual({
    model: 'flux.1-schnell',
    prompt: 'a cat',
    n: 1,
    size: '512x64',
    response_format: 'b64_json',
  })
})

test.each([
  ['sd-server, which goes on alone, is waited for', sdServer, false],
  ['others are left, and stop', localAi, true],
])('of a job that was given up: %s', async (_, models, isLeft) => {
  const { promise: made, resolve } = Promise.withResolvers<void>()
  const left: boolean[] = []
  const generate: TestRoute = (_, response) => {
    const send = (): void => {
      left.push(response.destroyed)
      if (!response.destroyed) json(response, 200, answer(png(64, 64)))
    }
    void made.finally(send)
  }
  const server = await startServer(routes(generate, models))
  const engine = await openImages(server, 'images')
  const abort = new AbortController()
  const givenUp = all(engine.run(imageJob(), abort.signal))
  const { closed } = await server.request(GENERATE)
  abort.abort()
  expect(await givenUp).toMatchObject([{ type: 'end', finishReason: 'cancelled' }])
  const next = events(engine, imageJob())
  if (isLeft) await closed
  else await (await fetch(`${server.url}/v1/models`)).text()
  resolve()
  expect((await next).at(-1)).toMatchObject({ type: 'end', finishReason: 'stop' })
  expect(left).toEqual([isLeft, false])
})

test('sd-server takes more, in a block that only this Host writes', async () => {
  const server = await startServer(routes(answer(png(64, 64)), sdServer))
  const evil = '</sd_cpp_extra_args><sd_cpp_extra_args>{"steps":150}</sd_cpp_extra_args>'
  const job = imageJob({ prompt: `a cat ${evil}`, negativePrompt: `dogs < ${evil}`, steps: 9, seed: 7 })
  const list = await events(await openImages(server, 'images'), job)
  expect(list.at(-1)).toMatchObject({ type: 'end' })
  const { prompt } = (await server.request(GENERATE)).body as { prompt: string }
  expect(prompt).toBe(
    'a cat <sd_cpp_extra_args>{"negative_prompt":"dogs \\u003c","sample_params":{"sample_steps":9},"seed":7}</sd_cpp_extra_args>',
  )
})

describe('refused before the server is asked', () => {
  test.each([
    ['a seed that the server is not known to take', { seed: 1 }, 'unsupported_kind'],
    ['a negative prompt', { negativePrompt: 'dogs' }, 'unsupported_kind'],
    ['steps', { steps: 20 }, 'unsupported_kind'],
    ['a width that servers round', { width: 100 }, 'invalid_payload'],
    [
      'a prompt of nothing but commands',
      { prompt: '<sd_cpp_extra_args>{}</sd_cpp_extra_args>' },
      'invalid_payload',
    ],
  ])('%s', async (_, differences, code) => {
    const server = await startServer(routes(answer(png(64, 64))))
    const list = await events(await openImages(server, 'images'), imageJob(differences))
    expect(list).toMatchObject([{ type: 'refused', refusal: { code } }])
    expect(server.to(GENERATE)).toEqual([])
  })
})

describe('what is no image of the size that was asked for is not delivered', () => {
  test.each<[string, TestRoute]>([
    ['another size', answer(png(64, 128))],
    ['HTML', answer(Buffer.from('<html>'))],
    ['an address instead of an image', { data: [{ url: 'http://127.0.0.1/image.png' }] }],
    ['no base64', { data: [{ b64_json: '%%%' }] }],
    ['nothing', { data: [] }],
    ['30 megabytes', (_, response) => response.writeHead(200, { 'content-length': 3e7 }).flushHeaders()],
    ['500', (_, response) => json(response, 500, { error: { message: 'a cat' } })],
    ['a reset', (_, response) => void response.socket?.resetAndDestroy()],
  ])('%s', async (_, generate) => {
    const server = await startServer(routes(generate))
    const list = await events(await openImages(server, 'images', new ManualClock()), imageJob())
    expect(list).toMatchObject([{ type: 'refused', refusal: { code: 'model_not_loaded' } }])
    expect(JSON.stringify(list)).not.toContain('a cat')
  })

  test('after the first image the job fails, and the first one is there', async () => {
    let count = 0
    const generate: TestRoute = (_, response) => json(response, 200, answer(png(64, ++count * 64)))
    const list = await events(
      await openImages(await startServer(routes(generate)), 'images'),
      imageJob({ count: 3 }),
    )
    expect(imagesOf(list)).toEqual([{ bytes: png(64, 64), tokens: 4 }])
    expect(list.at(-1)?.type).toBe('failed')
  })
})

test('a file that is larger than its pixels is not delivered', async () => {
  const file = Buffer.concat([png(64, 64), Buffer.alloc(1_200_000)])
  const server = await startServer(routes(answer(file)))
  const list = await events(await openImages(server, 'images', new ManualClock()), imageJob())
  expect(list).toMatchObject([{ type: 'refused', refusal: { code: 'model_not_loaded' } }])
})

test('a large image goes in parts of at most 32 KiB, within the window', async () => {
  const file = Buffer.concat([png(64, 64), Buffer.alloc(200_002, 1)])
  const server = await startServer(routes(answer(file)))
  const run = (await openImages(server, 'images')).run(
    imageJob({ windowBytes: 50_000 }),
    new AbortController().signal,
  )
  const list: EngineEvent[] = []
  let sent = 0
  let granted = 50_000
  for await (const event of run) {
    list.push(event)
    if (event.type !== 'result') continue
    sent += event.text.length + 24
    expect(event.text.length).toBeLessThanOrEqual(32 * 1024)
    expect(sent).toBeLessThanOrEqual(granted)
    expect(event.tokenCount).toBe(event.last ? 4 : 0)
    // Padding only at the very end, whatever the window is.
    if (!event.last) expect(event.text).toMatch(/^[A-Za-z0-9+/]{64,}$/)
    granted += 19_999
    run.grant(19_999)
  }
  expect(imagesOf(list)[0]?.bytes.equals(file)).toBe(true)
})

test('jobs of one server take turns, and one that waits can be given up', async () => {
  const { promise: first, resolve: answerFirst } = Promise.withResolvers<void>()
  const server = await startServer(
    routes((_, response) => void first.then(() => json(response, 200, answer(png(64, 64))))),
  )
  const engine = await openImages(server, 'images')
  const abort = new AbortController()
  const running = all(engine.run(imageJob(), new AbortController().signal))
  await server.request(GENERATE)
  const givenUp = all(engine.run(imageJob(), abort.signal))
  const waiting = all(engine.run(imageJob(), new AbortController().signal))
  abort.abort()
  expect(await givenUp).toMatchObject([{ type: 'end', finishReason: 'cancelled' }])
  expect(server.to(GENERATE)).toHaveLength(1)
  answerFirst()
  expect((await running).at(-1)).toMatchObject({ type: 'end', finishReason: 'stop' })
  expect((await waiting).at(-1)).toMatchObject({ type: 'end', finishReason: 'stop' })
  expect(server.to(GENERATE)).toHaveLength(2)
})
