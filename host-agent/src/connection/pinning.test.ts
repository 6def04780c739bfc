import { createServer } from 'node:tls'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { beforeAll, describe, expect, test } from 'vitest'
import { createCertificate, type TestCertificate } from '../testing/certificate.ts'
import { FakeOrc } from '../testing/fake-orc.ts'
import { LinkSetup } from '../testing/link-setup.ts'
import { fingerprintOf, parseCertificatePin } from '../certificate-pin.ts'
import { OrcHttp } from './orc-http.ts'
import { OrcTransport } from './orc-transport.ts'
import { openSocket } from './socket.ts'

const { signal } = new AbortController()
let own: TestCertificate
let other: TestCertificate

beforeAll(async () => {
  own = await createCertificate()
  other = await createCertificate()
})

describe('fingerprints', () => {
  const hex = '0123456789abcdef'.repeat(4)
  const colons = (hex.match(/../g) ?? []).join(':')

  test.each([hex, hex.toUpperCase(), colons, colons.toUpperCase(), `sha256:${hex}`, `SHA256:${colons}`])(
    '%s',
    (text) => {
      expect(parseCertificatePin(text)).toBe(`sha256:${hex}`)
    },
  )

  test.each([
    '',
    'sha256:',
    hex.slice(2),
    `${hex}00`,
    `sha1:${hex}`,
    `md5:${hex}`,
    colons.replace(':', ''),
    `${colons}:`,
    hex.replace('0', 'g'),
    ` ${hex}`,
  ])('%j is none', (text) => {
    expect(parseCertificatePin(text)).toBeUndefined()
  })

  test('are over the DER', () => {
    expect(fingerprintOf(Buffer.from('abc'))).toBe(
      'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    )
  })
})

describe('an Orc with a self-signed certificate', () => {
  test('[C2] its pin is enough for enrolment, keys, connection and jobs', async () => {
    const orc = await FakeOrc.start({ certificate: own })
    await using setup = await LinkSetup.start({ orc, pin: own.pin })
    const connection = await orc.welcomed()
    connection.send(await orc.run(connection.hostId))
    ;(await setup.engine.next()).start().delta('a', 1).end()
    expect(await connection.next('job-end')).toMatchObject({ outcome: 'completed' })
    expect(orc.requests).toContain('GET /.well-known/jwks.json')
  })

  test('without a pin it is not trusted, and nothing is sent', async () => {
    const orc = await FakeOrc.start({ certificate: own })
    const http = new OrcHttp(new OrcTransport(orc.url, undefined))
    await expect(http.discover(signal)).rejects.toMatchObject({
      cause: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
    })
    expect(orc.requests).toEqual([])
    await orc.close()
  })

  test('a name that the certificate does not have does not matter: the pin says more', async () => {
    const certificate = await createCertificate({ names: ['elsewhere.test'] })
    const orc = await FakeOrc.start({ certificate })
    const transport = new OrcTransport(orc.url, certificate.pin)
    expect(await new OrcHttp(transport).discover(signal)).toMatchObject({ issuer: orc.issuer })
    await transport.close()
    await orc.close()
  })

  test('a certificate of a private authority can be pinned without trust in the authority', async () => {
    const authority = await createCertificate({ authority: true })
    const certificate = await createCertificate({ issuer: authority })
    const orc = await FakeOrc.start({ certificate })
    const transport = new OrcTransport(orc.url, certificate.pin)
    expect(await new OrcHttp(transport).discover(signal)).toMatchObject({ issuer: orc.issuer })
    await transport.close()
    await orc.close()
  })
})

describe('another certificate', () => {
  test('ends the link with pin_mismatch, names both fingerprints, and gets nothing', async () => {
    const orc = await FakeOrc.start({ certificate: other })
    await using setup = await LinkSetup.start({ orc, pin: own.pin })
    const error = await setup.ended
    expect(error).toMatchObject({ code: 'pin_mismatch', exitCode: 5 })
    for (const pin of [own.pin, other.pin]) expect((error as Error).message).toContain(pin)
    expect(orc.requests).toEqual([])
  })

  test('that comes with a reconnect ends the link too', async () => {
    const orc = await FakeOrc.start({ certificate: own })
    await using setup = await LinkSetup.start({ orc, pin: own.pin })
    await orc.welcomed()
    const port = Number(new URL(orc.url).port)
    await orc.close()
    const impostor = await FakeOrc.start({ certificate: other, port })
    expect(await setup.ended).toMatchObject({ code: 'pin_mismatch' })
    expect(impostor.requests).toEqual([])
    await impostor.close()
  })

  test('that comes after the pin was checked fails inside the handshake: neither request nor proof is sent', async () => {
    const orc = await FakeOrc.start({ certificate: own })
    const transport = new OrcTransport(orc.url, own.pin)
    const http = new OrcHttp(transport)
    await http.discover(signal)
    const trust = await transport.tlsTrust(signal)
    const { url } = orc
    await orc.close()
    const impostor = await startRecorder(other, Number(new URL(url).port))
    await expect(http.keys(signal)).rejects.toThrow()
    await expect(openSocket(url.replace('https', 'wss'), 'proof', trust, 5000, signal)).rejects.toThrow()
    expect(impostor.handshakes).toBeGreaterThan(0)
    expect(impostor.received).toBe(0)
    await transport.close()
    impostor.close()
  })

  test('is refused though the pinned one vouches for it', async () => {
    const authority = await createCertificate({ authority: true })
    const orc = await FakeOrc.start({ certificate: authority })
    const transport = new OrcTransport(orc.url, authority.pin)
    await transport.checkPin(signal)
    const trust = await transport.tlsTrust(signal)
    const { url } = orc
    await orc.close()
    const child = await createCertificate({ issuer: authority })
    const chain = { ...child, cert: child.cert + '\n' + authority.cert }
    const impostor = await startRecorder(chain, Number(new URL(url).port))
    await expect(new OrcHttp(transport).discover(signal)).rejects.toThrow()
    await expect(openSocket(url.replace('https', 'wss'), 'proof', trust, 5000, signal)).rejects.toThrow()
    expect(impostor.handshakes).toBeGreaterThan(0)
    expect(impostor.received).toBe(0)
    await transport.close()
    impostor.close()
  })

  test('an Orc that is away is no mismatch: the Host goes on trying', async () => {
    const orc = await FakeOrc.start({ certificate: own })
    const port = Number(new URL(orc.url).port)
    await orc.close()
    const transport = new OrcTransport(`https://127.0.0.1:${port}`, own.pin)
    await expect(transport.checkPin(signal)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })
})

/** A TLS server that counts the bytes that clients send inside the encryption. */
async function startRecorder(certificate: TestCertificate, port: number) {
  const server = createServer(certificate, (socket) => {
    record.handshakes++
    socket.on('data', (data) => (record.received += data.length))
    socket.on('error', () => {})
  })
  server.on('tlsClientError', () => record.handshakes++)
  const record = { handshakes: 0, received: 0, close: () => server.close(), port: 0 }
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  record.port = (server.address() as AddressInfo).port
  return record
}
