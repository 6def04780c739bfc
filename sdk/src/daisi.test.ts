import { describe, expect, test } from 'vitest'
import { TEXT, usage } from '../test/answers.ts'
import { client, errorOf, request } from '../test/client.ts'
import { FakeOrc, KEY, answer, json } from '../test/fake-orc.ts'
import { Daisi } from './daisi.ts'

describe('client', () => {
  test.each([
    ['http://orc.test', 'http://orc.test/v1/models'],
    ['http://orc.test/', 'http://orc.test/v1/models'],
    ['http://orc.test/v1', 'http://orc.test/v1/models'],
    ['http://orc.test:8787/v1/', 'http://orc.test:8787/v1/models'],
    ['https://lan.test/daisi/v1//?x=1', 'https://lan.test/daisi/v1/models'],
  ])('baseURL %s', async (baseURL, url) => {
    const orc = new FakeOrc().next(answer(() => json({ object: 'list', data: [] })))
    await client(orc, { baseURL }).models.list()
    expect(orc.seen[0]?.url.href).toBe(url)
  })

  test.each(['', 'orc.test', 'localhost:8787', 'ftp://orc.test', 'http://user:word@orc.test'])(
    'baseURL %j is refused',
    async (baseURL) => {
      const error = await errorOf(() => client(new FakeOrc(), { baseURL }))
      expect(error).toMatchObject({ code: 'invalid_request', param: 'baseURL', isRetryable: false })
    },
  )

  test('a missing apiKey is refused before anything is sent', async () => {
    const orc = new FakeOrc()
    for (const apiKey of ['', undefined]) {
      const error = await errorOf(() => client(orc, { apiKey }))
      expect(error).toMatchObject({ code: 'missing_credentials', param: 'apiKey' })
    }
    expect(await errorOf(client(orc, { apiKey: () => '' }).models.list())).toMatchObject({
      code: 'missing_credentials',
    })
    expect(orc.seen).toHaveLength(0)
  })

  test('[A1] the key is sent as a bearer token', async () => {
    const orc = new FakeOrc()
    await client(orc).models.list()
    expect(orc.seen[0]?.headers.get('authorization')).toBe(`Bearer ${KEY}`)
  })

  test('[A1] a key function is asked anew for every attempt', async () => {
    const orc = new FakeOrc().next(answer(() => json({}, 503, { 'retry-after-ms': '0' })))
    const keys = ['old', KEY]
    await client(orc, { apiKey: async () => keys.shift() ?? '' }).models.list()
    expect(orc.seen.map(({ headers }) => headers.get('authorization'))).toEqual([
      'Bearer old',
      `Bearer ${KEY}`,
    ])
  })

  test('a failing key function throws its own error', async () => {
    const failure = new Error('no token')
    const call = client(new FakeOrc(), { apiKey: () => Promise.reject(failure) }).models.list()
    await expect(call).rejects.toBe(failure)
  })

  test('a key that fits into no header is refused without being quoted', async () => {
    const error = await errorOf(client(new FakeOrc(), { apiKey: 'secret\nkey' }).models.list())
    expect(error).toMatchObject({ code: 'invalid_request', param: 'apiKey' })
    expect(error.cause).toBeUndefined()
    expect(error.message).not.toContain('secret')
  })

  test('the global fetch is the default, called as browsers demand', async () => {
    const original = globalThis.fetch
    const orc = new FakeOrc()
    globalThis.fetch = function fetch(this: unknown, url: unknown, init: unknown) {
      if (this !== undefined && this !== globalThis) throw new TypeError('Illegal invocation')
      return orc.fetch(url as string, init as RequestInit)
    }
    try {
      const daisi = new Daisi({ baseURL: 'http://orc.test', apiKey: KEY })
      expect(await daisi.models.list()).toHaveLength(1)
    } finally {
      globalThis.fetch = original
    }
  })
})

describe('chat.create', () => {
  test('gives the whole answer', async () => {
    const orc = new FakeOrc()
    const completion = await client(orc).chat.create({ ...request, temperature: 0 })
    expect(completion).toMatchObject({ object: 'chat.completion', model: 'daisi-nano', usage })
    expect(completion.choices[0]?.message.content).toBe(TEXT)
    expect(orc.seen[0]).toMatchObject({ method: 'POST', body: { ...request, temperature: 0, stream: false } })
    expect(orc.seen[0]?.headers.get('content-type')).toBe('application/json')
  })

  test('further headers win over the own ones', async () => {
    const orc = new FakeOrc()
    await client(orc).chat.create(request, { headers: { 'Idempotency-Key': 'mine', 'x-trace': 'on' } })
    expect(orc.seen[0]?.headers.get('idempotency-key')).toBe('mine')
    expect(orc.seen[0]?.headers.get('x-trace')).toBe('on')
  })

  test.each([
    ['HTML', () => new Response('<html>', { headers: { 'content-type': 'text/html' } })],
    ['another object', () => json({ object: 'list', data: [] })],
    ['null', () => json(null)],
  ])('a 2xx answer that is %s is invalid_response, and not sent again', async (_, response) => {
    const orc = new FakeOrc().next(answer(response))
    expect(await errorOf(client(orc).chat.create(request))).toMatchObject({
      code: 'invalid_response',
      status: 200,
    })
    expect(orc.seen).toHaveLength(1)
  })
})
