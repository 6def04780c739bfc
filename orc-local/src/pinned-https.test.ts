import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:https'
import { expect, onTestFinished, test } from 'vitest'
import { formatFingerprint, parsePin, pinOf, requestOrc } from './pinned-https.ts'
import { makeSelfSigned } from './tls/self-signed.ts'

const HEX = '0123456789abcdef'.repeat(4)
const PIN = `sha256:${HEX}`

test.each([
  HEX,
  HEX.toUpperCase(),
  PIN,
  `SHA256:${HEX}`,
  formatFingerprint(PIN),
  `sha256:${formatFingerprint(PIN)}`,
  `  ${PIN}\n`,
])('%j is a pin', (text) => {
  expect(parsePin(text)).toBe(PIN)
})

test.each([
  '',
  'sha256:',
  HEX.slice(1),
  `${HEX}0`,
  `sha1:${HEX}`,
  HEX.replace('0', 'g'),
  `${HEX.slice(0, 63)}:`,
])('%j is none', (text) => {
  expect(parsePin(text)).toBeUndefined()
})

interface Server {
  readonly url: URL
  readonly pin: string
  /** Bytes of requests that reached it. */
  readonly heard: string[]
}

async function serve(now = new Date()): Promise<Server> {
  const pair = await makeSelfSigned({ hosts: ['elsewhere.example'], addresses: [] }, now)
  const heard: string[] = []
  const server = createServer({ cert: pair.certificate, key: pair.key }, (request, response) => {
    heard.push(`${request.method} ${request.headers.authorization}`)
    request.pipe(response.writeHead(201))
  })
  server.on('secureConnection', (socket) => socket.on('data', () => heard.push('data')))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: new URL(`https://127.0.0.1:${port}/x`),
    pin: pinOf(new X509Certificate(pair.certificate)),
    heard,
  }
}

const init = { method: 'POST', headers: { authorization: 'secret' }, body: 'hello' }

test('the pinned certificate is enough, whatever its names and dates', async () => {
  const { url, pin, heard } = await serve(new Date('2001-01-01'))
  const response = await requestOrc(url, init, pin)
  expect([response.status, await response.text()]).toEqual([201, 'hello'])
  expect(heard).toContain('POST secret')
})

test('another certificate gets to hear nothing at all', async () => {
  const [server, other] = await Promise.all([serve(), serve()])
  await expect(requestOrc(server.url, init, other.pin)).rejects.toMatchObject({ name: 'PinMismatch' })
  expect(server.heard).toEqual([])
})

test('without a pin the usual trust decides, and a pin without TLS is refused', async () => {
  const { url, pin, heard } = await serve()
  await expect(requestOrc(url, init)).rejects.toThrow(TypeError)
  await expect(requestOrc(new URL('http://127.0.0.1:9/'), init, pin)).rejects.toMatchObject({
    code: 'ERR_INVALID_PROTOCOL',
  })
  expect(heard).toEqual([])
})
