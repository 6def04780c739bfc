import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { HOST_PROOF_TYPE, RECEIPT_TYPE, SESSION_TOKEN_TYPE } from '@daisi/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { claims, encode, ForgeryBench, honestHeader, hostId, publicJwk } from '../testing/forgery-bench.ts'
import { TokenSigner } from '../testing/token-signer.ts'

const bench = new ForgeryBench()
const { orc, stranger } = bench

test('[T2] the honest token is accepted: what is refused below is refused for its one fault', async () => {
  expect(await bench.verify(bench.forge(honestHeader, claims))).toEqual({ ok: true, claims })
})

describe('algorithms', () => {
  test.each(['none', 'None', 'NONE', 'nOnE', ''])(
    '[T1] alg %j, with and without a signature',
    async (alg) => {
      const token = bench.forge({ ...honestHeader, alg }, claims)
      await bench.expectInvalid(token)
      await bench.expectInvalid(token.slice(0, token.lastIndexOf('.') + 1))
    },
  )

  test.each(['HS256', 'HS384', 'HS512'])(
    '[T1] %s with the public key, in every form, as its secret',
    async (alg) => {
      const input = `${encode({ ...honestHeader, alg })}.${encode(claims)}`
      const jwk = publicJwk(orc.publicKey, 'key-1')
      const secrets = [
        Buffer.from(String(orc.publicKey.export({ format: 'jwk' }).x), 'base64url'),
        Buffer.from(String(orc.publicKey.export({ format: 'jwk' }).x)),
        orc.publicKey.export({ format: 'der', type: 'spki' }),
        Buffer.from(orc.publicKey.export({ format: 'pem', type: 'spki' })),
        Buffer.from(JSON.stringify(jwk)),
        Buffer.alloc(0),
      ]
      for (const secret of secrets) {
        const mac = createHmac(`sha${alg.slice(2)}`, secret)
          .update(input)
          .digest('base64url')
        await bench.expectInvalid(`${input}.${mac}`)
      }
    },
  )

  test.each(['RS256', 'PS256', 'ES256', 'ES384', 'Ed448', 'ML-DSA-44'])('[T1] %s', async (alg) => {
    await bench.expectInvalid(bench.forge({ ...honestHeader, alg }, claims))
  })

  test("[T1] ES256 with a key of the Orc's own that is for something else", async () => {
    const input = `${encode({ ...honestHeader, alg: 'ES256', kid: 'curve' })}.${encode(claims)}`
    const key = { key: bench.curve.privateKey, dsaEncoding: 'ieee-p1363' } as const
    await bench.expectInvalid(`${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`)
  })

  test('[T1] no alg, and one that is no text', async () => {
    const { alg: _, ...without } = honestHeader
    await bench.expectInvalid(bench.forge(without, claims))
    await bench.expectInvalid(bench.forge({ ...honestHeader, alg: ['Ed25519'] }, claims))
  })
})

describe('key names', () => {
  test.each([
    ['a path', '../../../../dev/null'],
    ['an absolute path', '/etc/passwd'],
    ['SQL', "key-1' OR '1'='1"],
    ['a NUL at its end', 'key-1\0'],
    ['another case', 'KEY-1'],
    ['a property that every object has', '__proto__'],
    ['an address', 'https://evil.test/keys/key-1'],
    ['nothing', ''],
    ['3000 characters', 'k'.repeat(2000)],
  ])('[T1] a kid that is %s', async (_, kid) => {
    await bench.expectInvalid(bench.forge({ ...honestHeader, kid }, claims))
  })

  test.each([['missing'], [null], [1], [['key-1']], [{ key: 'key-1' }]])(
    '[T1] a kid that is %j',
    async (kid) => {
      const { kid: _, ...without } = honestHeader
      await bench.expectInvalid(bench.forge(kid === 'missing' ? without : { ...without, kid }, claims))
    },
  )

  test('[T1] the right kid under a stranger’s signature', async () => {
    await bench.expectInvalid(bench.forge(honestHeader, claims, stranger.privateKey))
  })

  test('[T7] unknown kids by the hundred make the Host ask once', async () => {
    const before = bench.fetches
    for (let count = 0; count < 200; count++)
      await bench.expectInvalid(bench.forge({ ...honestHeader, kid: `made-up-${count}` }, claims))
    expect(bench.fetches - before).toBeLessThanOrEqual(1)
  })
})

describe('keys that a token brings along', () => {
  const asked: string[] = []
  const evil = createServer((request, response) => {
    asked.push(request.url ?? '')
    response.end(JSON.stringify({ keys: [publicJwk(stranger.publicKey, 'evil')] }))
  })
  let address = ''

  beforeAll(async () => {
    evil.listen(0, '127.0.0.1')
    await once(evil, 'listening')
    address = `http://127.0.0.1:${(evil.address() as AddressInfo).port}`
  })
  afterAll(() => evil.close())

  test.each(['key-1', 'evil'])(
    '[T1] jwk, jku, x5u and x5c count for nothing, under the kid %s',
    async (kid) => {
      const headers = [
        { jwk: publicJwk(stranger.publicKey, kid) },
        { jku: `${address}/jwks.json` },
        { x5u: `${address}/cert.pem` },
        { x5c: [stranger.publicKey.export({ format: 'der', type: 'spki' }).toString('base64')] },
      ]
      for (const header of headers)
        await bench.expectInvalid(
          bench.forge({ ...honestHeader, kid, ...header }, claims, stranger.privateKey),
        )
      expect(asked).toEqual([])
    },
  )
})

describe('what a token demands', () => {
  test.each([
    ['an unknown extension', { crit: ['exp'], exp: 1 }],
    ['an unknown extension that is absent', { crit: ['daisi'] }],
    ['an extension that the library knows', { crit: ['b64'], b64: true }],
    ['an unencoded payload', { crit: ['b64'], b64: false }],
    ['an empty list', { crit: [] }],
    ['no list', { crit: 'b64' }],
  ])('[T1] crit: %s', async (_, header) => {
    await bench.expectInvalid(bench.forge({ ...honestHeader, ...header }, claims))
  })
})

describe('tokens for something else', () => {
  test.each([RECEIPT_TYPE, HOST_PROOF_TYPE, 'JWT', 'at+jwt', 'dpop+jwt', '', undefined])(
    '[T1] typ %j',
    async (typ) => {
      await bench.expectInvalid(bench.forge({ ...honestHeader, typ }, claims))
    },
  )

  test("[T1] the Host's own receipt or proof", async () => {
    const host = generateKeyPairSync('ed25519')
    for (const typ of [RECEIPT_TYPE, HOST_PROOF_TYPE, SESSION_TOKEN_TYPE])
      for (const kid of [honestHeader.kid, hostId])
        await bench.expectInvalid(
          bench.forge(
            { ...honestHeader, typ, kid, jwk: publicJwk(host.publicKey, kid) },
            claims,
            host.privateKey,
          ),
        )
  })
})

test('[T1] a signer of the tests makes what is attacked here', async () => {
  const signer = await TokenSigner.create()
  const [header = ''] = (await signer.sign(claims)).split('.')
  expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toEqual(honestHeader)
})
