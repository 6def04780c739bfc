import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { deflateSync, crc32 } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { goldenConversations } from './support/golden.ts'
import { type Network, startNetwork } from './support/network.ts'

let upstream: Network
let network: Network
beforeAll(async () => {
  ;[upstream, network] = await Promise.all([startNetwork(), startNetwork()])
})
afterAll(async () => {
  await Promise.all([network?.stop(), upstream?.stop()])
})

test('a Host in front of another OpenAI endpoint, our own: the same answer, checked usage, paid', async () => {
  await using nano = await upstream.startedHost()
  const key = upstream.consumer.key.key
  const args = ['--server', `openai=${upstream.url}/v1#key-env=UPSTREAM_KEY&context=2048`]
  const environment = { UPSTREAM_KEY: key }
  await using host = await network.startedHost({ modelPath: null, args, environment })
  const [conversation] = goldenConversations()
  const [turn] = conversation!.turns
  const { openai } = network.consumer
  const messages = [{ role: 'user' as const, content: turn!.user }]
  const request = { model: nano.model, messages, temperature: 0 }
  const answer = await openai.chat.completions.create(request)
  expect(answer.choices[0]?.message.content).toBe(turn!.answer)
  expect(answer.usage?.completion_tokens).toBeGreaterThan(0)
  const [model] = (await host.control.status()).models
  expect(model).toMatchObject({ id: nano.model, state: 'loaded' })
  // What such a server cannot do is said, never ignored.
  const biased = openai.chat.completions.create({ ...request, logit_bias: { 1: 5 }, stream: false })
  await expect(biased).rejects.toMatchObject({ status: 400, code: 'unsupported_parameter' })
  expect(host.err.join('\n')).not.toContain(key)
  await network.settle(network.consumer)
  const { prompt_tokens = 0, completion_tokens = 0 } = answer.usage ?? {}
  const cached = answer.usage?.prompt_tokens_details?.cached_tokens ?? 0
  expect(await network.gained(network.owner)).toBe(prompt_tokens - cached + completion_tokens)
})

test('[P6] images through an A1111 server of the owner', async () => {
  const images = await a1111()
  const { port } = images.address() as AddressInfo
  const args = ['--server', `a1111=http://127.0.0.1:${port}`]
  await using _ = await network.startedHost({ modelPath: null, args })
  const consumer = await network.newConsumer()
  const [model] = (await consumer.openai.models.list()).data.filter(({ id }) => id.includes('dream'))
  const answer = await consumer.openai.images.generate({
    model: model!.id,
    prompt: 'a lighthouse',
    n: 2,
    size: '256x256',
    response_format: 'b64_json',
  })
  const pictures = (answer.data ?? []).map(({ b64_json }) => Buffer.from(b64_json ?? '', 'base64'))
  expect(pictures.map((picture) => picture.subarray(1, 4).toString())).toEqual(['PNG', 'PNG'])
  expect(await network.paid(consumer)).toBe(2 * 64)
  images.close()
  images.closeAllConnections()
})

/** A server that speaks as Stable Diffusion WebUI does, and paints plain squares. */
async function a1111(): Promise<Server> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body: unknown = chunks.length === 0 ? {} : JSON.parse(Buffer.concat(chunks).toString())
      const answer = routes(
        request.url ?? '',
        body as { width?: number; height?: number; batch_size?: number },
      )
      response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' })
      response.end(JSON.stringify(answer ?? { detail: 'Not Found' }))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

function routes(url: string, { width = 64, height = 64, batch_size: count = 1 }): unknown {
  switch (url) {
    case '/sdapi/v1/sd-models':
      return [{ title: 'dream.safetensors [abc]', model_name: 'dream', hash: null, sha256: null }]
    case '/sdapi/v1/txt2img':
      return { images: Array<string>(count).fill(png(width, height)), parameters: {}, info: '' }
    case '/sdapi/v1/options':
      return {}
    default:
      return undefined
  }
}

/** A grey PNG in base64. */
function png(width: number, height: number): string {
  const chunk = (type: string, data: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(type), data])
    const edges = Buffer.alloc(8)
    edges.writeUInt32BE(data.length, 0)
    edges.writeUInt32BE(crc32(body), 4)
    return Buffer.concat([edges.subarray(0, 4), body, edges.subarray(4)])
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header[8] = 8
  const rows = deflateSync(Buffer.alloc((width + 1) * height, 127))
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  const parts = [signature, chunk('IHDR', header), chunk('IDAT', rows), chunk('IEND', Buffer.alloc(0))]
  return Buffer.concat(parts).toString('base64')
}
