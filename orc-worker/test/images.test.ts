import { CloseCode, type ImageList } from '@daisi/protocol'
import { imageListShape } from '@daisi/protocol/testing/openai-shapes'
import { expect, test } from 'vitest'
import { balanced, total } from './support/books.ts'
import {
  SERVES_IMAGES,
  generate,
  image,
  newImageScene,
  sendParts,
  sendWithin,
  take,
} from './support/images.ts'
import { newEnrolment, settle } from './support/orc.ts'
import { type Scene, chat, newScene } from './support/scene.ts'
import { refusal } from './support/team.ts'
import { newHost } from './support/test-host.ts'

/** Credits that every account begins with. */
const START = 10_000
const NO_INPUT = { text_tokens: 0, image_tokens: 0 }
const NONE = { promptTokens: 0, cachedTokens: 0, generatedTokens: 0 }

async function list(response: Response): Promise<ImageList> {
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`)
  return imageListShape.parse(await response.json())
}

test('[P6] an image costs its pixels by the 1,024, and reaches who asked for it', async () => {
  const scene = await newImageScene()
  const answer = generate(scene, { size: '1024x768', seed: 7, steps: 20, negative_prompt: 'fog', user: 'u' })
  const { run, payload, tokens } = await take(scene)
  expect(run.kind).toBe('image')
  expect(payload).toEqual({
    prompt: 'a lighthouse',
    negativePrompt: 'fog',
    count: 1,
    width: 1_024,
    height: 768,
    seed: 7,
    steps: 20,
  })
  expect(tokens).toBe(768)
  const whole = image('lighthouse', 90_001)
  const half = whole.length / 2
  sendParts(scene, run, [
    { text: whole.slice(0, 5) },
    { text: whole.slice(5, half) },
    { text: whole.slice(half) },
    { text: '', tokens },
  ])
  await scene.host.end(run, { ...NONE, generatedTokens: tokens })
  expect(await list(await answer)).toEqual({
    created: expect.any(Number),
    output_format: 'png',
    data: [{ b64_json: whole }],
    usage: { input_tokens: 0, input_tokens_details: NO_INPUT, output_tokens: 768, total_tokens: 768 },
  })
  await settle(scene.key.key)
  expect([await total(scene.consumer), await total(scene.owner)]).toEqual([START - 768, START + 768])
  await balanced()
})

test('[A10] several images are several results, each paid for', async () => {
  const scene = await newImageScene()
  const answer = generate(scene, { n: 3 })
  const { run, payload } = await take(scene)
  expect([payload.count, payload.width, payload.height]).toEqual([3, 64, 64])
  const images = ['one', 'two', 'three'].map((name) => image(name))
  sendParts(
    scene,
    run,
    images.map((text) => ({ text, tokens: 4 })),
  )
  await scene.host.end(run, { ...NONE, generatedTokens: 12 })
  const { data, usage } = await list(await answer)
  expect(data.map(({ b64_json }) => b64_json)).toEqual(images)
  expect(usage.output_tokens).toBe(12)
  await settle(scene.key.key)
  expect(await total(scene.owner)).toBe(START + 12)
})

test('without a size, or with auto, an image has 512 by 512 pixels', async () => {
  const scene = await newImageScene()
  for (const size of [undefined, null, 'auto']) {
    const answer = generate(scene, { size })
    const { run, payload, tokens } = await take(scene)
    expect([payload.width, payload.height, tokens]).toEqual([512, 512, 256])
    sendParts(scene, run, [{ text: image('x'), tokens }])
    await scene.host.end(run, { ...NONE, generatedTokens: tokens })
    expect((await answer).status).toBe(200)
    await (await answer).text()
  }
})

test.for([
  ['response_format', 'url'],
  ['output_format', 'webp'],
  ['output_compression', 50],
  ['quality', 'hd'],
  ['style', 'natural'],
  ['background', 'transparent'],
  ['moderation', 'low'],
  ['stream', true],
  ['partial_images', 2],
] as const)('[A3] %s %s is refused by name', async ([name, value], { expect }) => {
  const response = await generate(await consumer(), { [name]: value })
  expect(response.status).toBe(400)
  expect(await response.json()).toMatchObject({ error: { code: 'unsupported_parameter', param: name } })
})

test.for([
  ['without a prompt', { prompt: '' }],
  ['with too long a prompt', { prompt: 'x'.repeat(32_001) }],
  ['of none', { n: 0 }],
  ['of more than ten', { n: 11 }],
  ['of one and a half', { n: 1.5 }],
  ['of one side', { size: '64' }],
  ['of sides that are no blocks', { size: '60x64' }],
  ['of a side that is too long', { size: '2056x64' }],
  ['of a side that is too short', { size: '64x32' }],
  ['of sides that are no numbers', { size: '064x064' }],
  ['without steps', { steps: 0 }],
  ['of a seed below zero', { seed: -1 }],
  ['without a number', { negative_prompt: 7 }],
] as const)('images %s are no request', async ([, body], { expect }) => {
  const response = await generate(await consumer(), body)
  expect(response.status).toBe(400)
  const [param] = Object.keys(body)
  expect(await response.json()).toMatchObject({ error: { code: 'invalid_request', param } })
})

test('parameters with values that ask for nothing are no hindrance', async () => {
  const scene = await newScene({ offer: { kinds: ['image'] } })
  const harmless = { quality: 'auto', response_format: 'b64_json', output_format: 'png', background: 'auto' }
  const answer = generate(scene, { ...harmless, style: null, stream: false, negative_prompt: '', n: null })
  const { run } = await take(scene)
  sendParts(scene, run, [{ text: image('x'), tokens: 4 }])
  await scene.host.end(run, { ...NONE, generatedTokens: 4 })
  expect((await list(await answer)).data).toHaveLength(1)
})

test('[A9] what the Host cannot honour is refused, not ignored', async () => {
  const scene = await newScene({ offer: { kinds: ['image'] } })
  for (const [name, value] of Object.entries({ seed: 0, steps: 4, negative_prompt: 'fog' })) {
    const response = await generate(scene, { [name]: value })
    expect(await response.json()).toMatchObject({ error: { code: 'unsupported_parameter', param: name } })
  }
})

test.for([
  ['an image that is none', [{ text: btoa('<html>'.padEnd(60)), tokens: 4 }]],
  ['an image that is none, bit by bit', [{ text: 'PGh0' }, { text: 'bWw+' }, { text: 'A'.repeat(8) }]],
  ['what is no base64', [{ text: `${image('x')}"`, tokens: 4 }]],
  ['half an image', [{ text: image('x').slice(0, -1), tokens: 4 }]],
  ['an image at another price', [{ text: image('x'), tokens: 5 }]],
  ['an image for nothing', [{ text: image('x'), last: true }]],
  ['tokens before the end', [{ text: image('x'), tokens: 4, last: false }]],
  ['text', [{ text: 'x', tokens: -1 }]],
  [
    'more than its pixels can take',
    Array.from({ length: 18 }, (_, index) => ({
      text: index === 0 ? image('', 44_998) : 'A'.repeat(60_000),
    })),
  ],
] as const)(
  '[F9] %s closes with 4400, and is neither delivered nor paid',
  async ([what, parts], { expect }) => {
    const scene = await newImageScene()
    const answer = generate(scene)
    const { run } = await take(scene)
    if (what === 'text') scene.host.sendFrame(run.jobId, 0, 'x')
    else await sendWithin(scene, run, parts)
    expect((await scene.host.closed).code).toBe(CloseCode.BadMessage)
    expect(await refusal(await answer)).toEqual([502, 'host_lost'])
    await settle(scene.key.key)
    expect([await total(scene.consumer), await total(scene.owner)]).toEqual([START, START])
  },
)

test('one image more than was asked for closes with 4400; the one that came is paid', async () => {
  const scene = await newImageScene()
  const answer = generate(scene)
  const { run } = await take(scene)
  sendParts(scene, run, [
    { text: image('x'), tokens: 4 },
    { text: image('y'), tokens: 4 },
  ])
  expect((await scene.host.closed).code).toBe(CloseCode.BadMessage)
  expect(await refusal(await answer)).toEqual([502, 'host_lost'])
  await expect.poll(() => settle(scene.key.key).then(() => total(scene.owner))).toBe(START + 4)
})

test('a Host that ends with too few images fails the request; those that came are paid', async () => {
  const scene = await newImageScene()
  const answer = generate(scene, { n: 2 })
  const { run } = await take(scene)
  sendParts(scene, run, [{ text: image('x'), tokens: 4 }])
  await scene.host.end(run, { ...NONE, generatedTokens: 8 })
  expect(await refusal(await answer)).toEqual([502, 'host_failed'])
  await settle(scene.key.key)
  expect(await total(scene.owner)).toBe(START + 4)
})

test('[P2] a Host that fails after some of the images is paid for these, and the answer breaks off', async () => {
  const scene = await newImageScene()
  const answer = generate(scene, { n: 3 })
  const { run } = await take(scene)
  sendParts(scene, run, [
    { text: image('one'), tokens: 4 },
    { text: image('two'), tokens: 4 },
  ])
  const response = await answer
  await scene.host.end(run, { ...NONE, generatedTokens: 8 }, { outcome: 'failed' })
  await expect(response.text()).rejects.toThrow()
  await settle(scene.key.key)
  expect([await total(scene.consumer), await total(scene.owner)]).toEqual([START - 8, START + 8])
  await balanced()
})

test('a Host that fails before the first image costs nothing', async () => {
  const scene = await newImageScene()
  const answer = generate(scene)
  const { run } = await take(scene)
  sendParts(scene, run, [{ text: image('x').slice(0, 40) }])
  await scene.host.end(run, NONE, { outcome: 'failed' })
  expect(await refusal(await answer)).toEqual([502, 'host_failed'])
  await settle(scene.key.key)
  expect([await total(scene.consumer), await total(scene.owner)]).toEqual([START, START])
})

test('[A7] a Consumer that leaves stops the work, and pays for the images that were made', async () => {
  const scene = await newImageScene()
  const gone = new AbortController()
  const answer = generate(scene, { n: 3 }, { signal: gone.signal })
  const { run } = await take(scene)
  sendParts(scene, run, [
    { text: image('one'), tokens: 4 },
    { text: image('two'), tokens: 4 },
  ])
  const reader = (await answer).body!.getReader()
  await reader.read()
  gone.abort()
  await reader.cancel().catch(() => undefined)
  expect((await scene.host.receive('cancel')).jobId).toBe(run.jobId)
  await scene.host.end(run, { ...NONE, generatedTokens: 8 }, { outcome: 'cancelled' })
  await expect.poll(() => settle(scene.key.key).then(() => total(scene.owner))).toBe(START + 8)
})

test('who has not the credits for all images is told so before a Host is asked', async () => {
  const scene = await newImageScene()
  expect(await refusal(await generate(scene, { n: 10, size: '2048x2048' }))).toEqual([
    402,
    'insufficient_credits',
  ])
  // As much as there is can be spent.
  const answer = generate(scene, { n: 2, size: '2048x2048' })
  const { run, tokens } = await take(scene)
  expect(tokens).toBe(4_096)
  await scene.host.end(run, NONE, { outcome: 'failed' })
  expect(await refusal(await answer)).toEqual([502, 'host_failed'])
})

test('[P3] images of Hosts of one’s own are free', async () => {
  const scene = await newScene()
  const model = `${scene.model}-images`
  const { token } = await newEnrolment(scene.consumer)
  const own = { ...scene, model, host: await newHost(token, { ...SERVES_IMAGES, model }) }
  const answer = generate(own, { size: '2048x2048', n: 10 })
  const { run, tokens } = await take(own)
  await own.host.end(run, NONE, { outcome: 'failed' })
  expect(tokens).toBe(4_096)
  expect(await refusal(await answer)).toEqual([502, 'host_failed'])
})

test('a model that makes no images makes none, and one that does holds no conversations', async () => {
  const [chats, images] = [await newScene(), await newImageScene()]
  expect(await refusal(await generate(chats))).toEqual([503, 'no_host_available'])
  expect(await refusal(await chat(images))).toEqual([503, 'no_host_available'])
})

test('[J3] a request that its Host cannot carry out is at fault', async () => {
  const scene = await newImageScene()
  const answer = generate(scene)
  const { jobId } = await scene.host.receive('run')
  scene.host.send({ type: 'refused', jobId, code: 'invalid_payload', message: 'no' })
  expect(await refusal(await answer)).toEqual([400, 'invalid_request'])
})

test('[K1, K2] images with an Idempotency-Key are made and charged once', async () => {
  const scene = await newImageScene()
  const headers = { 'idempotency-key': 'once' }
  const answer = generate(scene, {}, { headers })
  const { run } = await take(scene)
  expect(await refusal(await generate(scene, {}, { headers }))).toEqual([409, 'request_in_progress'])
  sendParts(scene, run, [{ text: image('x'), tokens: 4 }])
  await scene.host.end(run, { ...NONE, generatedTokens: 4 })
  await list(await answer)
  expect(await refusal(await generate(scene, {}, { headers }))).toEqual([409, 'request_already_processed'])
  expect(await refusal(await generate(scene, { n: 2 }, { headers }))).toEqual([422, 'idempotency_key_reused'])
})

test('a Host that claims more than its images cost is paid for these', async () => {
  const scene = await newImageScene()
  const answer = generate(scene)
  const { run } = await take(scene)
  sendParts(scene, run, [{ text: image('x'), tokens: 4 }])
  await scene.host.end(run, { promptTokens: 50, cachedTokens: 0, generatedTokens: 40 })
  expect((await list(await answer)).usage).toMatchObject({
    input_tokens: 0,
    output_tokens: 4,
    total_tokens: 4,
  })
  await settle(scene.key.key)
  expect(await total(scene.owner)).toBe(START + 4)
})

let shared: Promise<Scene> | undefined
/** For requests that reach no Host. */
function consumer(): Promise<Scene> {
  shared ??= newImageScene()
  return shared
}
