import { describe, expect, test, vi } from 'vitest'
import { TEXT, wholeAnswer } from '../../test/answers.ts'
import { client, collect, errorOf, request } from '../../test/client.ts'
import { FakeHost } from '../../test/fake-host.ts'
import { FakeOrc, KEY } from '../../test/fake-orc.ts'
import { directTo } from '../../test/wires.ts'
import { connectDirect } from './connect-direct.ts'

const words = (count: number): string[] => Array.from({ length: count }, (_, index) => `word${index} `)
/** Generated tokens, as they were acknowledged. */
const acknowledged = (host: FakeHost): number[] =>
  host.acknowledgements.map(({ generatedTokens }) => generatedTokens)

describe('connecting', () => {
  test('[D1] [D2] opens a direct Session with a public key, and knocks at the Host', async () => {
    const { orc, host, direct } = await directTo(new FakeHost(), {
      network: 'home',
      budget: 500,
      ttlSeconds: 60,
    })
    expect(orc.seen.map(({ method, url }) => `${method} ${url.pathname}`)).toEqual(['POST /v1/sessions'])
    expect(orc.seen[0]?.body).toEqual({
      network: 'home',
      mode: 'direct',
      budget: 500,
      ttl_seconds: 60,
      direct: {
        model: 'daisi-nano',
        budget: 4_160,
        key: { kty: 'OKP', crv: 'Ed25519', x: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/) },
      },
    })
    expect(host.arrived).toMatchObject([{ url: 'https://host.test/daisi/v1/acknowledgements', body: '' }])
    expect(direct.mode).toBe('direct')
    expect(direct.failure).toBeUndefined()
    expect(direct.host).toEqual({ id: host.id, alias: 'brave-otter', endpoint: 'https://host.test' })
  })

  test('each connection has a key of its own', async () => {
    const orc = new FakeOrc(new FakeHost())
    for (const _ of [1, 2])
      await connectDirect(client(orc), { model: 'daisi-nano', fetch: orc.hosts[0]!.fetch })
    const keys = orc.seen.map(({ body }) => (body as { direct: { key: { x: string } } }).direct.key.x)
    expect(new Set(keys).size).toBe(2)
  })

  test('close ends the Session; further requests throw', async () => {
    const { orc, direct } = await directTo(new FakeHost())
    await direct.close()
    expect(orc.seen.at(-1)).toMatchObject({ method: 'DELETE' })
    expect(await errorOf(direct.chat.create(request))).toMatchObject({ code: 'session_closed' })
    await direct.close()
    expect(orc.seen).toHaveLength(2)
  })

  test('without Ed25519, as in a page that is no secure context, everything goes through the Orc', async () => {
    const subtle = vi.spyOn(crypto.subtle, 'generateKey').mockRejectedValue(new Error('NotSupportedError'))
    try {
      const { host, direct } = await directTo(new FakeHost())
      expect((await direct.chat.create(request)).choices[0]?.message.content).toBe(TEXT)
      expect(direct).toMatchObject({ mode: 'orchestrated', failure: { code: 'direct_unavailable' } })
      expect(host.arrived).toEqual([])
      expect(await errorOf(directTo(new FakeHost(), { fallback: false }))).toMatchObject({
        code: 'direct_unavailable',
      })
    } finally {
      subtle.mockRestore()
    }
  })
})

describe('what a Host receives', () => {
  test('[D2] token, proof and prompt, and nothing of the Consumer or its Orc', async () => {
    const { host, orc, direct } = await directTo(new FakeHost())
    const options = {
      idempotencyKey: 'order-7',
      headers: { authorization: 'Bearer daisi_sk_other', cookie: 'a=b', 'x-user': 'me' },
    }
    await direct.chat.create({ ...request, temperature: 0 }, options)
    await (await direct.chat.stream(request, options)).text()
    await direct.close()
    const [, chat] = host.arrived
    const token = chat?.headers.find(([name]) => name === 'authorization')?.[1]
    expect(chat).toEqual({
      url: 'https://host.test/v1/chat/completions',
      headers: [
        ['accept', 'text/event-stream'],
        ['authorization', expect.stringMatching(/^DPoP \S+$/)],
        ['content-type', 'application/json'],
        ['dpop', expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/)],
      ],
      body: JSON.stringify({
        ...request,
        temperature: 0,
        stream: true,
        stream_options: { include_usage: true },
      }),
    })
    expect(host.arrived.length).toBeGreaterThan(5)
    for (const { url, headers, body } of host.arrived.filter(({ url }) => url.endsWith('acknowledgements'))) {
      expect({ url, headers }).toEqual({
        url: 'https://host.test/daisi/v1/acknowledgements',
        headers: [['content-type', 'text/plain']],
      })
      expect(body).toMatch(/^$|^[\w-]+\.[\w-]+\.[\w-]+$/)
    }
    // Byte by byte, and inside what is encoded too.
    const everything = host.arrived.flatMap(({ url, headers, body }) => [url, body, ...headers.flat()])
    const decoded = everything.flatMap((text) =>
      text.split(/[ .]/).map((part) => Buffer.from(part, 'base64').toString()),
    )
    const secrets = [KEY, 'daisi_sk_', 'daisi_bt_', 'sess_1', 'order-7', 'a=b', 'orc.test', 'x-user']
    for (const text of [...everything, ...decoded])
      for (const secret of secrets) expect(text).not.toContain(secret)
    expect(orc.seen.map(({ url }) => url.pathname)).toEqual(['/v1/sessions', '/v1/sessions/sess_1'])
    expect(token).toBeDefined()
  })

  test('[D3] every request has a proof of its own, dated by the clock of the Orc', async () => {
    const { host, direct } = await directTo(new FakeHost('https://host.test', -3_600), { fallback: false })
    await Promise.all(Array.from({ length: 20 }, () => direct.chat.create({ ...request, max_tokens: 8 })))
    expect(host.seen).toHaveLength(20)
    expect(new Set(host.seen.map(({ headers }) => headers.get('dpop'))).size).toBe(20)
  })

  test('[D2] the private key cannot be read', async () => {
    const generate = vi.spyOn(crypto.subtle, 'generateKey')
    await directTo(new FakeHost())
    expect(generate.mock.calls.map(([algorithm, isExtractable]) => [algorithm, isExtractable])).toEqual([
      ['Ed25519', false],
    ])
    generate.mockRestore()
  })
})

describe('acknowledgements', () => {
  test('[D5] [D6] running, in order, at least every 32 tokens, and at the end', async () => {
    const host = new FakeHost()
    host.words = words(300)
    const { direct } = await directTo(host)
    const answer = await direct.chat.create(request)
    expect(answer.choices[0]?.message.content).toBe(host.words.join(''))
    expect(answer.usage.completion_tokens).toBe(300)
    const counts = acknowledged(host)
    expect(counts).toEqual(counts.toSorted((a, b) => a - b))
    expect(counts[0]).toBe(1)
    expect(counts.at(-1)).toBe(300)
    expect(host.acknowledgements.at(-1)).toMatchObject({
      aud: host.id,
      sid: 'ses_0123456789abcdef',
      promptTokens: 5,
      cachedTokens: 0,
    })
  })

  test('[D6] say what is in their schema and nothing else', async () => {
    const { host, direct } = await directTo(new FakeHost())
    await direct.chat.create(request)
    const bodies = host.arrived.filter(({ url }) => url.endsWith('acknowledgements')).map(({ body }) => body)
    const claims = bodies
      .filter((body) => body !== '')
      .map((jws) => JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString()) as object)
    expect(claims.length).toBeGreaterThan(0)
    const keys = ['aud', 'cachedTokens', 'generatedTokens', 'iat', 'jobId', 'promptTokens', 'sid']
    for (const each of claims) expect(Object.keys(each).toSorted()).toEqual(keys)
  })

  test('[D6] who reads slowly acknowledges slowly, and the Host pauses', async () => {
    const host = new FakeHost()
    host.words = words(300)
    const { direct } = await directTo(host)
    const texts = (await direct.chat.stream(request)).textDeltas()[Symbol.asyncIterator]()
    for (let read = 0; read < 40; read += 1) await texts.next()
    await vi.waitFor(() => expect(acknowledged(host)).toEqual([1, 33]))
    await texts.return?.()
    await vi.waitFor(() => expect(acknowledged(host)).toEqual([1, 33, 40]))
  })

  test('of those that wait only the newest goes, and the reader does not wait for them', async () => {
    const host = new FakeHost()
    host.words = words(65)
    let open = (): void => undefined
    const gate = new Promise<void>((resolve) => (open = resolve))
    host.onAcknowledgement = async () => {
      await gate
      return undefined
    }
    const { direct } = await directTo(host)
    const stream = await direct.chat.stream(request)
    const texts: string[] = []
    for await (const text of stream.textDeltas()) {
      texts.push(text)
      if (texts.length === 65) open()
    }
    expect(texts).toEqual(host.words)
    expect(acknowledged(host)).toEqual([1, 65])
  })

  test('one that is lost is sent again', async () => {
    const host = new FakeHost()
    host.words = words(8)
    const lost = [() => Promise.reject(new TypeError('lost')), () => new Response(null, { status: 503 })]
    host.onAcknowledgement = () => lost.shift()?.()
    const { direct } = await directTo(host)
    await direct.chat.create(request)
    expect(acknowledged(host).at(-1)).toBe(8)
  })

  test('a Host that takes none is left when it pauses', async () => {
    const host = new FakeHost()
    host.words = words(300)
    host.onAcknowledgement = () => new Response(null, { status: 400 })
    const { direct } = await directTo(host)
    expect(await errorOf(direct.chat.create(request))).toMatchObject({ code: 'stream_interrupted' })
  })

  test('[A7] leaving acknowledges what was read until then, and close waits for it', async () => {
    const host = new FakeHost()
    host.words = words(20)
    const { direct } = await directTo(host)
    const stream = await direct.chat.stream(request)
    let read = 0
    for await (const _ of stream.textDeltas()) if ((read += 1) === 7) break
    await direct.close()
    expect(acknowledged(host)).toEqual([1, 7])
  })
})

test('answers are those of the Orc', async () => {
  const { direct } = await directTo(new FakeHost())
  expect(await direct.chat.create(request)).toEqual(wholeAnswer(request))
  const stream = await direct.chat.stream(request)
  expect((await collect(stream.textDeltas())).join('')).toBe(TEXT)
  expect(direct.mode).toBe('direct')
})
