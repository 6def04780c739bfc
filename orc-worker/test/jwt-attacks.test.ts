import { ACKNOWLEDGEMENT_TYPE, HOST_PROOF_TYPE, RECEIPT_TYPE, SESSION_TOKEN_TYPE } from '@daisi/protocol'
import { type JWK, calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
import { verifyAcknowledgement } from '../src/domain/acknowledgement.ts'
import { mintChallenge } from '../src/domain/challenge.ts'
import { verifyHostProof } from '../src/domain/host-proof.ts'
import { verifyReceipt } from '../src/domain/receipt.ts'
import { readOwnSessionToken, readSigningKeys } from '../src/domain/session-token.ts'
import { type Genuine, compact, forgeries } from './support/forge.ts'

// The four kinds of JWT that an Orc reads, each against everything that is made of a genuine one.

const NOW = Date.UTC(2026, 10, 22)
const SECONDS = NOW / 1000
const ISSUER = 'urn:daisi:orc:attacked'
const JOB = `job_${'a'.repeat(32)}`
const SESSION = 'ses_attacked-session-of-it'

interface Signer {
  readonly key: CryptoKey
  readonly jwk: JWK & { readonly x: string }
  readonly id: string
  readonly secret: JWK
}

async function signer(): Promise<Signer> {
  const { publicKey, privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true })
  const { kty, crv, x = '' } = await exportJWK(publicKey)
  const jwk = { kty, crv, x } as Signer['jwk']
  return { key: privateKey, jwk, id: await calculateJwkThumbprint(jwk), secret: await exportJWK(privateKey) }
}

/** A kind of token: how it looks, and whether the Orc takes one. */
interface Kind {
  readonly name: string
  readonly typ: string
  readonly genuine: Genuine
  readonly takes: (token: string) => Promise<boolean>
}

let stranger: Signer
let kinds: readonly Kind[]

beforeAll(async () => {
  const [host, consumer, orc] = await Promise.all([signer(), signer(), signer()])
  stranger = await signer()
  const random = crypto.getRandomValues(new Uint8Array(32))
  const hmac = { name: 'HMAC', hash: 'SHA-256' }
  const challengeMac = await crypto.subtle.importKey('raw', random, hmac, false, ['sign', 'verify'])
  const usage = { promptTokens: 5, cachedTokens: 0, generatedTokens: 7 }
  const signing = await readSigningKeys(JSON.stringify([{ ...orc.secret, kid: orc.id }]))
  const proof = { issuer: ISSUER, origin: 'orc.test', purpose: 'connect', challengeMac, now: NOW } as const
  const receipt = { hostId: host.id, publicKey: host.jwk.x, issuer: ISSUER, jobId: JOB, sessionId: SESSION }
  const acknowledged = { keyThumbprint: consumer.id, hostId: host.id, sessionId: SESSION, jobId: JOB }
  kinds = [
    {
      name: 'a Host’s proof',
      typ: HOST_PROOF_TYPE,
      genuine: {
        header: { alg: 'EdDSA', typ: HOST_PROOF_TYPE, jwk: host.jwk },
        claims: {
          iss: host.id,
          aud: ISSUER,
          iat: SECONDS,
          origin: 'orc.test',
          purpose: 'connect',
          nonce: await mintChallenge(NOW, challengeMac),
        },
        key: host.key,
        x: host.jwk.x,
      },
      takes: async (token) => (await verifyHostProof(token, proof)) !== undefined,
    },
    {
      name: 'a receipt',
      typ: RECEIPT_TYPE,
      genuine: {
        header: { alg: 'EdDSA', typ: RECEIPT_TYPE },
        claims: {
          iss: host.id,
          aud: ISSUER,
          jobId: JOB,
          sid: SESSION,
          ...usage,
          startedAt: NOW,
          endedAt: NOW,
        },
        key: host.key,
        x: host.jwk.x,
      },
      takes: async (token) => (await verifyReceipt(token, { ...receipt, modelSha256: undefined })).ok,
    },
    {
      name: 'an acknowledgement',
      typ: ACKNOWLEDGEMENT_TYPE,
      genuine: {
        header: { alg: 'EdDSA', typ: ACKNOWLEDGEMENT_TYPE, jwk: consumer.jwk },
        claims: { aud: host.id, sid: SESSION, jobId: JOB, ...usage, iat: SECONDS },
        key: consumer.key,
        x: consumer.jwk.x,
      },
      takes: async (token) => (await verifyAcknowledgement(token, acknowledged)) !== undefined,
    },
    {
      name: 'a Session token that comes back',
      typ: SESSION_TOKEN_TYPE,
      genuine: {
        header: { alg: 'Ed25519', typ: SESSION_TOKEN_TYPE, kid: orc.id },
        claims: {
          iss: ISSUER,
          aud: host.id,
          sub: 'somebody',
          sid: SESSION,
          jti: JOB,
          net: 'public',
          mode: 'direct',
          budget: 100,
          iat: SECONDS,
          exp: SECONDS + 300,
          cnf: { jkt: consumer.id },
        },
        key: orc.key,
        x: orc.jwk.x,
      },
      takes: async (token) => {
        const expected = { issuer: ISSUER, hostId: host.id, lateSeconds: 900, now: NOW }
        return (await readOwnSessionToken(token, expected, signing)) !== undefined
      },
    },
  ]
})

describe.for([0, 1, 2, 3])('kind %i', (index) => {
  const kind = (): Kind => {
    const found = kinds[index]
    if (found === undefined) throw new Error('no such kind')
    return found
  }

  test('the genuine one is taken, and nothing that is made of it', async () => {
    const { genuine, takes } = kind()
    expect(await takes(await compact(genuine.header, genuine.claims, genuine.key))).toBe(true)
    const taken: string[] = []
    for (const [name, token] of await forgeries(genuine, stranger)) if (await takes(token)) taken.push(name)
    expect(taken).toEqual([])
  })

  test('one whose audience or issuer is another, or missing, is not taken', async () => {
    const { genuine, takes } = kind()
    const { header, claims, key } = genuine
    const wrong = [
      { ...claims, aud: stranger.id },
      { ...claims, aud: [] },
      { ...claims, aud: undefined },
      ...('iss' in claims
        ? [
            { ...claims, iss: stranger.id },
            { ...claims, iss: undefined },
          ]
        : []),
    ]
    for (const each of wrong) expect(await takes(await compact(header, each, key))).toBe(false)
  })

  test('a token of another kind by the same key is not taken for it', async () => {
    const { typ, genuine, takes } = kind()
    for (const other of kinds.filter((each) => each.typ !== typ)) {
      expect(await takes(await compact(other.genuine.header, other.genuine.claims, other.genuine.key))).toBe(
        false,
      )
      expect(
        await takes(await compact({ ...genuine.header, typ: other.typ }, genuine.claims, genuine.key)),
      ).toBe(false)
    }
  })
})

test('a key in the header counts only where its thumbprint is the one expected', async () => {
  for (const { genuine, takes } of kinds.filter(({ genuine }) => 'jwk' in genuine.header)) {
    const { header, claims } = genuine
    const swapped = [
      await compact({ ...header, jwk: stranger.jwk }, claims, stranger.key),
      await compact({ ...header, jwk: { ...stranger.jwk, kid: 'x' } }, claims, stranger.key),
      await compact({ ...header, jwk: { kty: 'oct', k: stranger.jwk.x } }, claims, stranger.key),
      await compact({ ...header, jwk: { ...stranger.jwk, crv: 'X25519' } }, claims, stranger.key),
      await compact({ ...header, jwk: undefined }, claims, genuine.key),
    ]
    for (const token of swapped) expect(await takes(token)).toBe(false)
  }
})

test('a Session token counts until it is too late, under a key that is still published, and not before its time', async () => {
  const { genuine } = kinds[3] as Kind
  const { header, claims, key } = genuine
  const [old, next] = await Promise.all([signer(), signer()])
  const published = (...keys: Signer[]): Promise<Awaited<ReturnType<typeof readSigningKeys>>> =>
    readSigningKeys(JSON.stringify(keys.map(({ secret, id }) => ({ ...secret, kid: id }))))
  const expected = { issuer: ISSUER, hostId: String(claims['aud']), lateSeconds: 900 }
  const oldToken = await compact({ ...header, kid: old.id }, claims, old.key)
  const reads = async (keys: Parameters<typeof readOwnSessionToken>[2], at: number, token = oldToken) =>
    (await readOwnSessionToken(token, { ...expected, now: at * 1000 }, keys)) !== undefined
  const rotated = await published(next, old)
  // Signed before the rotation, brought after it.
  expect(await reads(rotated, SECONDS)).toBe(true)
  expect(await reads(await published(next), SECONDS)).toBe(false)
  expect(await reads(rotated, SECONDS + 300 + 899)).toBe(true)
  expect(await reads(rotated, SECONDS + 300 + 901)).toBe(false)
  // The kid of one key over the signature of another.
  expect(await reads(rotated, SECONDS, await compact({ ...header, kid: next.id }, claims, old.key))).toBe(
    false,
  )
  expect(await reads(rotated, SECONDS, await compact(header, claims, key))).toBe(false)
  const early = await compact({ ...header, kid: old.id }, { ...claims, nbf: SECONDS + 3_600 }, old.key)
  expect(await reads(rotated, SECONDS, early)).toBe(false)
})
