import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { Readable } from 'node:stream'
import { afterEach, describe, expect, test } from 'vitest'
import { behindServer } from '../../test/behind-server.ts'
import { makeCertificate, type TestCertificate } from '../../test/certificate.ts'
import { errorOf, request } from '../../test/client.ts'
import { FakeHost } from '../../test/fake-host.ts'
import { FakeOrc, KEY } from '../../test/fake-orc.ts'
import { connectDirect } from '../direct/connect-direct.ts'
import { Daisi } from '../daisi.ts'
import { pinnedFetch } from './pinned-fetch.ts'

type Handler = (request: IncomingMessage, response: ServerResponse) => void

const certificate = makeCertificate(['127.0.0.1'])
const stops: (() => void)[] = []
afterEach(() => {
  for (const stop of stops.splice(0)) stop()
})

/** A server with TLS that notes every byte of a request that reaches it. */
async function serve(
  handler: Handler,
  { cert, key }: TestCertificate = certificate,
): Promise<{ url: string; requests: string[]; connections: () => number }> {
  const requests: string[] = []
  let connections = 0
  const server = createServer({ cert, key }, handler)
  server.on('secureConnection', (socket: Socket) => {
    connections += 1
    socket.prependListener('data', (bytes: Buffer) => requests.push(bytes.toString()))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  stops.push(() => {
    server.close()
    server.closeAllConnections()
  })
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    connections: () => connections,
  }
}

const echo: Handler = (incoming, response) => {
  response.writeHead(201, { 'content-type': 'text/plain', 'set-cookie': ['a=1', 'b=2'] })
  incoming.pipe(response)
}

/** A handler's request, when it comes. */
function handed(): { handler: Handler; come: Promise<[IncomingMessage, ServerResponse]> } {
  let handler: Handler = () => undefined
  const come = new Promise<[IncomingMessage, ServerResponse]>(
    (resolve) => (handler = (...both) => resolve(both)),
  )
  return { handler, come }
}

describe('which certificate', () => {
  const hex = certificate.sha256
  const colons = (hex.match(/../g) ?? []).join(':').toUpperCase()

  test.each([hex, hex.toUpperCase(), colons, `sha256:${hex}`, `sha256:${colons}`, ` ${colons} `])(
    'the pinned one, written as %s',
    async (fingerprint) => {
      const { url } = await serve(echo)
      const response = await pinnedFetch(fingerprint)(`${url}/a?b`, { method: 'POST', body: 'hello' })
      expect([response.status, await response.text()]).toEqual([201, 'hello'])
    },
  )

  test.each(['', 'abc', hex.slice(1), `${hex}0`, `md5:${hex}`, colons.replace(':', ';')])(
    '%j is no fingerprint',
    async (fingerprint) => {
      expect(await errorOf(() => pinnedFetch(fingerprint))).toMatchObject({
        code: 'invalid_request',
        param: 'fingerprint',
      })
    },
  )

  test('another one, for the same address: refused, and nothing of the request is sent', async () => {
    const { url, requests } = await serve(echo, makeCertificate(['127.0.0.1']))
    const asked = pinnedFetch(hex)(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}` },
      body: 'secret',
    })
    await expect(asked).rejects.toThrow(TypeError)
    expect(requests).toEqual([])
  })

  test('one that is over, or for another name, is the pinned one all the same', async () => {
    const old = makeCertificate(['other.example'], -1)
    const { url } = await serve(echo, old)
    expect((await pinnedFetch(old.sha256)(url, {})).status).toBe(201)
    await expect(fetch(url)).rejects.toThrow(TypeError)
  })

  test('no TLS, no request', async () => {
    await expect(pinnedFetch(hex)('http://127.0.0.1:9', {})).rejects.toThrow(TypeError)
  })

  test('a connection that is used again was compared when it was made', async () => {
    const { url, connections } = await serve(echo)
    const fetch = pinnedFetch(hex)
    for (const body of ['one', 'two'])
      expect(await (await fetch(url, { method: 'POST', body })).text()).toBe(body)
    expect(connections()).toBe(1)
  })
})

describe('as a fetch', () => {
  const fetch = pinnedFetch(certificate.sha256)

  test('headers both ways', async () => {
    const { url, requests } = await serve(echo)
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'X-Own': 'yes', 'content-type': 'a/b' },
      body: 'text',
    })
    expect(response.headers.get('content-type')).toBe('text/plain')
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
    const sent = requests.join('').toLowerCase()
    expect(sent).toContain('\r\nx-own: yes\r\n')
    expect(sent.match(/content-type: .*/g)).toEqual(['content-type: a/b'])
    expect(sent).toContain('\r\ncontent-length: 4\r\n')
  })

  test.each([204, 304])('%i has no body', async (status) => {
    const { url } = await serve((_, response) => response.writeHead(status).end())
    const response = await fetch(url, {})
    expect([response.status, response.body]).toEqual([status, null])
  })

  test('a redirect is not followed', async () => {
    const { url } = await serve((_, response) =>
      response.writeHead(307, { location: 'https://127.0.0.1:9/' }).end(),
    )
    expect((await fetch(url, { method: 'POST', body: 'x' })).status).toBe(307)
  })

  test('bodies stream both ways', async () => {
    const { url } = await serve(echo)
    let controller: ReadableStreamDefaultController<Uint8Array> | undefined
    const body = new ReadableStream<Uint8Array>({ start: (own) => void (controller = own) })
    const encode = (value: string): Uint8Array => new TextEncoder().encode(value)
    controller?.enqueue(encode('one'))
    const response = await fetch(url, { method: 'POST', body })
    const reader = response.body!.getReader()
    expect(new TextDecoder().decode((await reader.read()).value)).toBe('one')
    controller?.enqueue(encode('two'))
    expect(new TextDecoder().decode((await reader.read()).value)).toBe('two')
    controller?.close()
    expect((await reader.read()).done).toBe(true)
  })

  test('a reader that stops makes the server wait', async () => {
    const whole = 64
    let produced = 0
    const { url } = await serve((incoming, response) => {
      if (incoming.method === 'POST') return echo(incoming, response)
      const mebibytes = function* (): Generator<Buffer> {
        for (; produced < whole; produced += 1) yield Buffer.alloc(1024 * 1024)
      }
      Readable.from(mebibytes()).pipe(response)
    })
    const reader = (await fetch(url, {})).body!.getReader()
    await reader.read()
    // Time enough for all of it, if nobody held it back.
    for (let turn = 0; turn < 200; turn += 1) await (await fetch(url, { method: 'POST', body: 'x' })).text()
    expect(produced).toBeLessThan(whole)
    for (let part = await reader.read(); !part.done; part = await reader.read());
    expect(produced).toBe(whole)
  })

  test('aborted before, while waiting, and inside an answer', async () => {
    const { url, requests } = await serve(() => undefined)
    await expect(fetch(url, { signal: AbortSignal.abort('before') })).rejects.toBe('before')
    expect(requests).toEqual([])

    const waiting = handed()
    const silent = await serve(waiting.handler)
    const first = new AbortController()
    const asked = fetch(silent.url, { signal: first.signal })
    const [incoming] = await waiting.come
    first.abort('waiting')
    await expect(asked).rejects.toBe('waiting')
    await once(incoming.socket, 'close')

    const inside = handed()
    const slow = await serve(inside.handler)
    const second = new AbortController()
    const begun = fetch(slow.url, { signal: second.signal })
    const [, answer] = await inside.come
    answer.write('half')
    const reader = (await begun).body!.getReader()
    await reader.read()
    second.abort('inside')
    await expect(reader.read()).rejects.toThrow()
    await once(answer, 'close')
  })

  test('a reader that leaves closes the connection', async () => {
    const { handler, come } = handed()
    const { url } = await serve(handler)
    const asked = fetch(url, {})
    const [, answer] = await come
    answer.write('half')
    await (await asked).body!.cancel()
    await once(answer, 'close')
  })

  test('a server that breaks off rejects', async () => {
    const { url } = await serve((_, response) => response.destroy())
    await expect(fetch(url, {})).rejects.toThrow()
  })
})

describe('with the SDK', () => {
  test('an Orc on a LAN, by its certificate', async () => {
    const orc = new FakeOrc()
    const { url } = await serve(behindServer(orc, () => 'http://orc.test'))
    const options = { baseURL: url, apiKey: KEY, maxRetries: 0 }
    const daisi = new Daisi({ ...options, fetch: pinnedFetch(certificate.sha256) })
    expect((await daisi.chat.create(request)).object).toBe('chat.completion')
    expect(await errorOf(new Daisi(options).chat.create(request))).toMatchObject({ code: 'connection_error' })
  })

  test('[D1] [D2] a Host with a certificate of its own: real TLS, and the Secret Key nowhere in it', async () => {
    let host: FakeHost | undefined
    const { url, requests } = await serve((...both) => behindServer(host!, () => url)(...both))
    host = new FakeHost(url)
    host.grants = { certificate_sha256: certificate.sha256 }
    host.words = Array.from({ length: 200 }, (_, index) => `word${index} `)
    const orc = new FakeOrc(host)
    const daisi = new Daisi({ baseURL: 'http://orc.test', apiKey: KEY, fetch: orc.fetch })
    const direct = await connectDirect(daisi, { model: 'daisi-nano', pinnedFetch, fallback: false })
    expect(await (await direct.chat.stream(request)).text()).toBe(host.words.join(''))
    expect(host.acknowledgements.at(-1)).toMatchObject({ generatedTokens: 200 })
    expect(requests.join('')).not.toContain('daisi_sk_')
  })

  test('[D7] another certificate than the Orc named: through the Orc, and no prompt is sent', async () => {
    const { url, requests } = await serve(() => undefined, makeCertificate(['127.0.0.1']))
    const host = new FakeHost(url)
    host.grants = { certificate_sha256: certificate.sha256 }
    const orc = new FakeOrc(host)
    const daisi = new Daisi({ baseURL: 'http://orc.test', apiKey: KEY, fetch: orc.fetch })
    const direct = await connectDirect(daisi, { model: 'daisi-nano', pinnedFetch })
    await direct.chat.create(request)
    expect(direct).toMatchObject({ mode: 'orchestrated', failure: { code: 'connection_error' } })
    expect(requests).toEqual([])
  })
})
