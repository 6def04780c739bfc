import { once } from 'node:events'
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { DIRECT_ACKNOWLEDGE_PATH } from '@daisi/protocol'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseListenAddress } from '../commands/direct-options.ts'
import { DirectSetup } from '../testing/direct-setup.ts'
import { AddressCounter } from './address-counter.ts'
import { fingerprintOf, givenCertificate, ownCertificate } from './certificate.ts'
import { DIRECT_LIMITS, isWithinReach } from './direct-server.ts'
import { type DirectFlags, endpointOf, type ListenPlan, ownAddress, planListening } from './listen-plan.ts'
import { isPubliclyTrusted } from './public-trust.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'daisi-listen-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** Reads until the other side ends the connection. */
async function readAll(socket: ReturnType<typeof connect>): Promise<string> {
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  await once(socket, 'close')
  return text
}

describe('the plan', () => {
  const plan = (address: string, flags: DirectFlags = {}): ListenPlan | undefined =>
    planListening({ direct: parseListenAddress(address), ...flags })

  test.each<[string, DirectFlags, ListenPlan['protection']]>([
    ['0.0.0.0:8790', {}, 'self-signed'],
    ['[::]:8790', {}, 'self-signed'],
    ['203.0.113.7:8790', {}, 'self-signed'],
    ['192.168.1.5:8790', {}, 'self-signed'],
    ['127.0.0.1:8790', {}, 'loopback'],
    ['localhost:8790', {}, 'loopback'],
    ['[::1]:8790', { directUrl: 'https://host.example' }, 'loopback'],
    ['127.0.0.1:8790', { directUrl: 'http://127.0.0.1:9000' }, 'loopback'],
    ['192.168.1.5:8790', { directPlainLan: true }, 'private'],
    ['[fe80::1]:8790', { directPlainLan: true }, 'private'],
    ['0.0.0.0:8790', { directPlainLan: true, directUrl: 'http://192.168.1.5:8790' }, 'private'],
    ['0.0.0.0:443', { directCert: 'c', directKey: 'k' }, { certificateFile: 'c', keyFile: 'k' }],
  ])('[D10] %s with %j', (address, flags, protection) => {
    expect(plan(address, flags)?.protection).toEqual(protection)
  })

  test.each<[string, DirectFlags, string]>([
    ['203.0.113.7:8790', { directPlainLan: true }, 'direct_plain_refused'],
    ['0.0.0.0:8790', { directPlainLan: true, directUrl: 'http://host.example' }, 'direct_plain_refused'],
    ['127.0.0.1:8790', { directUrl: 'http://192.168.1.5:8790' }, 'direct_plain_refused'],
    ['0.0.0.0:8790', { directUrl: 'http://192.168.1.5:8790' }, 'direct_url_mismatch'],
    ['0.0.0.0:8790', { directCert: 'c' }, 'direct_certificate_incomplete'],
    ['0.0.0.0:8790', { directCert: 'c', directKey: 'k', directPlainLan: true }, 'direct_options_conflict'],
  ])('[D10] %s with %j is refused', (address, flags, code) => {
    expect(() => plan(address, flags)).toThrow(expect.objectContaining({ code, exitCode: 2 }))
  })

  test('options without an address are refused, and no option is no plan', () => {
    expect(planListening({})).toBeUndefined()
    expect(() => planListening({ directPlainLan: true })).toThrow(
      expect.objectContaining({ code: 'direct_address_missing' }),
    )
    for (const text of ['8790', 'host.example:8790', '1.2.3.4:99999', '::1:8790'])
      expect(() => parseListenAddress(text)).toThrow(/address/)
  })

  test('[D1] the address to announce: as given, as listened on, or one of this machine', () => {
    const of = (address: string, flags: DirectFlags = {}): string => {
      const made = plan(address, flags)
      if (made === undefined) throw new Error('no plan')
      return endpointOf(made, 8790)
    }
    expect(of('0.0.0.0:0', { directUrl: 'https://host.example' })).toBe('https://host.example')
    expect(of('192.168.1.5:0')).toBe('https://192.168.1.5:8790')
    expect(of('[::1]:0')).toBe('http://[::1]:8790')
    const entry = (address: string, internal: boolean) => ({ address, internal, family: 'IPv4', scopeid: 0 })
    const found = {
      lo: [entry('127.0.0.1', true)],
      wan: [entry('203.0.113.7', false)],
      lan: [entry('10.0.0.2', false)],
    }
    expect(ownAddress(found as never)).toBe('10.0.0.2')
    expect(ownAddress({ wan: found.wan } as never)).toBe('203.0.113.7')
    expect(ownAddress({})).toBe('127.0.0.1')
  })
})

describe('certificates', () => {
  test('[D1] an own one is made once, is kept for its owner only, and its fingerprint is announced', async () => {
    const plan: ListenPlan = {
      listen: { host: '127.0.0.1', port: 0 },
      url: undefined,
      protection: 'self-signed',
    }
    await using setup = await DirectSetup.start({ plan })
    const { endpoint, certificateSha256 } = setup.service.offer
    expect(endpoint).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/)
    const path = join(setup.stateFolder, 'direct', 'certificate.json')
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    const { certificate } = JSON.parse(await readFile(path, 'utf8')) as { certificate: string }
    expect(fingerprintOf(certificate)).toBe(certificateSha256)
    const socket = connectTls({
      host: '127.0.0.1',
      port: Number(new URL(endpoint).port),
      rejectUnauthorized: false,
    })
    await once(socket, 'secureConnect')
    expect(socket.getPeerCertificate().fingerprint256.replaceAll(':', '').toLowerCase()).toBe(
      certificateSha256,
    )
    socket.destroy()
    const again = await ownCertificate(setup.stateFolder, [], new Date())
    expect(fingerprintOf(again.certificate)).toBe(certificateSha256)
    // Whoever trusts this certificate alone can talk to it under its address.
    setup.consumer.certificate = certificate
    const answering = setup.consumer.chat(await setup.token(), setup.body())
    ;(await setup.engine.next()).start().delta('a', 1).end()
    expect((await answering).status).toBe(200)
  })

  test('an own one that has expired is made anew, a broken one is an error', async () => {
    const now = new Date()
    const old = await ownCertificate(
      folder,
      ['host.example'],
      new Date(now.getTime() - 11 * 365 * 86_400_000),
    )
    expect((await ownCertificate(folder, [], now)).certificate).not.toBe(old.certificate)
    await chmod(join(folder, 'direct', 'certificate.json'), 0o640)
    await expect(ownCertificate(folder, [], now)).rejects.toMatchObject({ code: 'state_exposed' })
    await chmod(join(folder, 'direct', 'certificate.json'), 0o600)
    await writeFile(join(folder, 'direct', 'certificate.json'), '{"certificate":"x","key":"y"}')
    await expect(ownCertificate(folder, [], now)).rejects.toMatchObject({
      code: 'state_unusable',
      exitCode: 3,
    })
  })

  test("[D1] the owner's own is used; no public authority vouches for it, so its fingerprint is announced", async () => {
    const pair = await ownCertificate(folder, [], new Date())
    const files = { certificateFile: join(folder, 'c.pem'), keyFile: join(folder, 'k.pem') }
    await writeFile(files.certificateFile, pair.certificate)
    await writeFile(files.keyFile, pair.key)
    const plan: ListenPlan = { listen: { host: '127.0.0.1', port: 0 }, url: undefined, protection: files }
    await using setup = await DirectSetup.start({ plan })
    expect(setup.service.offer.certificateSha256).toBe(fingerprintOf(pair.certificate))
    const port = Number(new URL(setup.service.offer.endpoint).port)
    expect(await isPubliclyTrusted({ host: '127.0.0.1', port }, 'localhost')).toBe(false)
    const missing = { certificateFile: join(folder, 'none.pem'), keyFile: files.keyFile }
    const swapped = { certificateFile: files.keyFile, keyFile: files.certificateFile }
    for (const wrong of [missing, swapped])
      await expect(givenCertificate(wrong, new Date())).rejects.toMatchObject({
        code: 'direct_certificate_unusable',
      })
  })

  test('[D10] a stolen token over plain HTTP gets nothing where TLS is spoken', async () => {
    const plan: ListenPlan = {
      listen: { host: '127.0.0.1', port: 0 },
      url: undefined,
      protection: 'self-signed',
    }
    await using setup = await DirectSetup.start({ plan })
    setup.consumer.endpoint = setup.consumer.endpoint.replace('https:', 'http:')
    await expect(setup.consumer.chat(await setup.token(), setup.body())).rejects.toMatchObject({
      code: 'ECONNRESET',
    })
  })

  test('[D1] behind a proxy its address is announced, and the proxy has the certificate', async () => {
    const url = 'https://host.example'
    await using setup = await DirectSetup.start({
      plan: { listen: { host: '127.0.0.1', port: 0 }, url, protection: 'loopback' },
    })
    expect(setup.service.offer).toEqual({ endpoint: url })
  })
})

describe('limits', () => {
  const quick = { ...DIRECT_LIMITS, headMs: 200, requestMs: 400, idleMs: 200 }

  test('slow heads, slow bodies and silent connections are ended', async () => {
    await using setup = await DirectSetup.start({ limits: quick })
    const port = Number(new URL(setup.consumer.endpoint).port)
    const head = `POST ${DIRECT_ACKNOWLEDGE_PATH} HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n`
    const sent = ['', 'POST / HT', head, `${head}\r\nabc`]
    const texts = await Promise.all(
      sent.map((text) => {
        const socket = connect(port, '127.0.0.1')
        socket.write(text)
        return readAll(socket)
      }),
    )
    for (const text of texts) expect(text).toMatch(/^(HTTP\/1\.1 408 .*)?/)
    // The Host still serves.
    expect((await setup.consumer.send({ method: 'GET' })).status).toBe(405)
  })

  test('beyond the most connections new ones are dropped', async () => {
    await using setup = await DirectSetup.start({ limits: { ...DIRECT_LIMITS, connections: 2 } })
    const port = Number(new URL(setup.consumer.endpoint).port)
    const held = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')]
    await Promise.all(held.map((socket) => once(socket, 'connect')))
    const third = connect(port, '127.0.0.1')
    expect(await readAll(third)).toBe('')
    for (const socket of held) socket.destroy()
  })

  test('of one address, or one /64 of IPv6, only so many are taken; loopback has no such limit', () => {
    const counter = new AddressCounter(1)
    const giveBack = counter.take('192.168.1.5')
    expect(giveBack).toBeDefined()
    expect(counter.take('192.168.1.5')).toBeUndefined()
    expect(counter.take('192.168.1.6')).toBeDefined()
    giveBack?.()
    expect(counter.take('192.168.1.5')).toBeDefined()
    expect(counter.take('2001:db8:1:2:3:4:5:6')).toBeDefined()
    expect(counter.take('2001:db8:1:2::6')).toBeUndefined()
    expect(counter.take('2001:db8::6')).toBeDefined()
    expect(counter.take('::ffff:192.168.1.7')).toBeDefined()
    expect(counter.take('::ffff:192.168.1.8')).toBeDefined()
    for (const address of ['127.0.0.1', '127.0.0.1', '::1', '::1', '::ffff:127.0.0.1', '::ffff:127.0.0.1'])
      expect(counter.take(address)).toBeDefined()
  })

  test.each([
    ['private', '192.168.1.5', '192.168.1.9', true],
    ['private', '::ffff:10.0.0.1', '::ffff:10.0.0.2', true],
    ['private', '192.168.1.5', '203.0.113.7', false],
    ['private', '203.0.113.7', '192.168.1.5', false],
    ['private', '192.168.1.5', undefined, false],
    ['loopback', '127.0.0.1', '127.0.0.1', true],
    ['loopback', '127.0.0.1', '192.168.1.5', false],
  ] as const)(
    '[D10] plain with reach %s from %s to %s: %s',
    (reach, localAddress, remoteAddress, isServed) => {
      const socket = remoteAddress === undefined ? { localAddress } : { localAddress, remoteAddress }
      expect(isWithinReach(socket as Socket, reach)).toBe(isServed)
    },
  )
})

describe('browsers', () => {
  test('a page may ask, from any origin, and may reach a private network', async () => {
    await using setup = await DirectSetup.start()
    const asked = {
      origin: 'https://page.example',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type,dpop',
    }
    const plain = await setup.consumer.send({ method: 'OPTIONS', headers: asked })
    expect(plain.status).toBe(204)
    expect(plain.headers).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'authorization, content-type, dpop',
    })
    expect(plain.headers['access-control-allow-private-network']).toBeUndefined()
    const headers = { ...asked, 'access-control-request-private-network': 'true' }
    const near = await setup.consumer.send({ method: 'OPTIONS', headers })
    expect(near.headers['access-control-allow-private-network']).toBe('true')
    const elsewhere = await setup.consumer.send({ method: 'OPTIONS', path: '/', headers })
    expect(elsewhere.status).toBe(404)
  })
})
