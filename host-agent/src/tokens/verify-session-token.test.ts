import { SESSION_TOKEN_TYPE } from '@daisi/protocol'
import { createLocalJWKSet, SignJWT, UnsecuredJWT } from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
import { TokenSigner, validClaims } from '../testing/token-signer.ts'
import { type TokenVerdict, verifySessionToken } from './verify-session-token.ts'

const hostId = 'h'.repeat(43)
const issuer = 'https://orc.test'
const nowMs = 1_800_000_000_000
const claims = validClaims(hostId, issuer, nowMs)
let signer: TokenSigner

beforeAll(async () => {
  signer = await TokenSigner.create()
})

function verify(
  token: string,
  atMs = nowMs,
  mode: 'orchestrated' | 'direct' = 'orchestrated',
): Promise<TokenVerdict> {
  const getKey = createLocalJWKSet({ keys: [signer.publicJwk] })
  return verifySessionToken(token, { issuer, hostId, networks: ['home'], mode, getKey, nowMs: atMs })
}

describe('accepted', () => {
  test.each(['Ed25519', 'EdDSA'])('[T1] alg %s', async (alg) => {
    expect(await verify(await signer.sign(claims, { alg }))).toEqual({ ok: true, claims })
  })

  test('[T2] within the tolerance of clocks', async () => {
    expect(await verify(await signer.sign(claims), (claims.exp + 4) * 1000)).toMatchObject({ ok: true })
  })
})

describe('refused', () => {
  test('[T2] another audience', async () => {
    const token = await signer.sign({ ...claims, aud: 'x'.repeat(43) })
    expect(await verify(token)).toMatchObject({ ok: false, code: 'token_audience' })
  })

  test('[T2] expired', async () => {
    expect(await verify(await signer.sign(claims), (claims.exp + 6) * 1000)).toMatchObject({
      code: 'token_expired',
    })
  })

  test('[T3] a network that the Host does not serve', async () => {
    expect(await verify(await signer.sign({ ...claims, net: 'other' }))).toMatchObject({
      code: 'token_network',
    })
  })

  test('[T2] another issuer, another type, another key, a changed claim', async () => {
    const stranger = await TokenSigner.create(signer.keyId)
    const [header, , signature] = (await signer.sign(claims)).split('.')
    const changed = Buffer.from(JSON.stringify({ ...claims, budget: 1_000_000 })).toString('base64url')
    const tokens = [
      await signer.sign({ ...claims, iss: 'https://evil.test' }),
      await signer.sign(claims, { typ: 'JWT' }),
      await stranger.sign(claims),
      `${header}.${changed}.${signature}`,
      'no.token.at-all',
      '',
    ]
    for (const token of tokens)
      expect(await verify(token)).toMatchObject({ ok: false, code: 'token_invalid' })
  })

  test('[T1] alg none', async () => {
    expect(await verify(new UnsecuredJWT({ ...claims }).encode())).toMatchObject({ code: 'token_invalid' })
  })

  test('[T1] HS256 with the public key as the secret', async () => {
    const secret = Buffer.from(signer.publicJwk.x ?? '', 'base64url')
    const header = { alg: 'HS256', typ: SESSION_TOKEN_TYPE, kid: signer.keyId }
    const token = await new SignJWT({ ...claims }).setProtectedHeader(header).sign(secret)
    expect(await verify(token)).toMatchObject({ code: 'token_invalid' })
  })

  test.each(['exp', 'iat', 'jti', 'sid', 'net', 'budget', 'sub', 'mode'] as const)(
    '[T2] without %s',
    async (name) => {
      const { [name]: _, ...rest } = claims
      expect(await verify(await signer.sign(rest))).toMatchObject({ ok: false, code: 'token_invalid' })
    },
  )

  test('[D2] a token for the other way, and a direct one that is bound to no key', async () => {
    const bound = { ...claims, mode: 'direct', cnf: { jkt: 'k'.repeat(43) } } as const
    expect(await verify(await signer.sign(bound), nowMs, 'direct')).toEqual({ ok: true, claims: bound })
    const { cnf: _, ...unbound } = bound
    const refused = [
      await verify(await signer.sign(bound)),
      await verify(await signer.sign(claims), nowMs, 'direct'),
      await verify(await signer.sign(unbound), nowMs, 'direct'),
    ]
    for (const verdict of refused) expect(verdict).toMatchObject({ ok: false, code: 'token_invalid' })
  })

  test('[T2] a list of audiences that has this Host among others', async () => {
    const token = await signer.sign({ ...claims, aud: [hostId, 'x'.repeat(43)] as never })
    expect(await verify(token)).toMatchObject({ code: 'token_invalid' })
  })
})
