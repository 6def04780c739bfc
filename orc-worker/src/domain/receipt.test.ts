import { RECEIPT_TYPE } from '@daisi/protocol'
import { SignJWT, UnsecuredJWT, calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose'
import { describe, expect, test } from 'vitest'
import { type ExpectedReceipt, verifyReceipt } from './receipt.ts'

const JOB = `job_${'1'.repeat(32)}`
const SESSION = `ses_${'s'.repeat(16)}`
const FILE = 'a'.repeat(64)
const ISSUER = 'https://orc.test'
const CLAIMS = {
  jobId: JOB,
  sid: SESSION,
  modelSha256: FILE,
  promptTokens: 5,
  cachedTokens: 1,
  generatedTokens: 7,
  startedAt: 1_000,
  endedAt: 2_000,
}

async function newHost() {
  const { publicKey, privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true })
  const { kty, crv, x = '' } = await exportJWK(publicKey)
  const hostId = await calculateJwkThumbprint({ kty: kty ?? '', crv: crv ?? '', x })
  const expected: ExpectedReceipt = {
    hostId,
    publicKey: x,
    issuer: ISSUER,
    jobId: JOB,
    sessionId: SESSION,
    modelSha256: FILE,
  }
  const sign = (claims: object = CLAIMS, { typ = RECEIPT_TYPE, audience = ISSUER, issuer = hostId } = {}) =>
    new SignJWT({ ...claims })
      .setProtectedHeader({ alg: 'EdDSA', typ })
      .setIssuer(issuer)
      .setAudience(audience)
      .sign(privateKey)
  return { hostId, expected, sign }
}

describe('[R3] verifyReceipt', () => {
  test("answers what the Host's receipt states, with its times", async () => {
    const { expected, sign } = await newHost()
    const usage = { promptTokens: 5, cachedTokens: 1, generatedTokens: 7 }
    const verified = { ok: true, usage, startedAt: 1_000, endedAt: 2_000 }
    expect(await verifyReceipt(await sign(), expected)).toEqual(verified)
    // A Job that pinned no file takes a receipt for any, and one for none.
    const unpinned = { ...expected, modelSha256: undefined }
    expect(await verifyReceipt(await sign(), unpinned)).toEqual(verified)
    expect(await verifyReceipt(await sign({ ...CLAIMS, modelSha256: undefined }), unpinned)).toEqual(verified)
  })

  test('knows a receipt that another Host signed, or nobody', async () => {
    const [host, other] = [await newHost(), await newHost()]
    const forged = await other.sign(CLAIMS, { issuer: host.hostId })
    expect(await verifyReceipt(forged, host.expected)).toEqual({ ok: false, fault: 'signature' })
    const [header = '', , signature = ''] = (await host.sign()).split('.')
    const [, richer = ''] = (await host.sign({ ...CLAIMS, generatedTokens: 700 })).split('.')
    const spliced = [header, richer, signature].join('.')
    expect(await verifyReceipt(spliced, host.expected)).toEqual({ ok: false, fault: 'signature' })
    const unsigned = new UnsecuredJWT(CLAIMS).setIssuer(host.hostId).setAudience(ISSUER).encode()
    expect(await verifyReceipt(unsigned, host.expected)).toMatchObject({ ok: false })
  })

  test.for([
    ['job', { jobId: `job_${'2'.repeat(32)}` }],
    ['session', { sid: `ses_${'t'.repeat(16)}` }],
    ['model', { modelSha256: 'b'.repeat(64) }],
    ['model', { modelSha256: undefined }],
    ['malformed', { generatedTokens: -1 }],
    ['malformed', { generatedTokens: 1e300 }],
    ['malformed', { promptTokens: '5' }],
    ['malformed', { endedAt: undefined }],
  ] as const)('says %s for a receipt with %o', async ([fault, wrong]) => {
    const { expected, sign } = await newHost()
    expect(await verifyReceipt(await sign({ ...CLAIMS, ...wrong }), expected)).toEqual({ ok: false, fault })
  })

  test('takes nothing that is no receipt of this Host for this Orc', async () => {
    const { expected, sign } = await newHost()
    const wrong = [
      await sign(CLAIMS, { typ: 'daisi-host-proof+jwt' }),
      await sign(CLAIMS, { audience: 'https://other.test' }),
      await sign(CLAIMS, { issuer: 'x'.repeat(43) }),
      'not a token',
      '',
    ]
    for (const receipt of wrong)
      expect(await verifyReceipt(receipt, expected)).toEqual({ ok: false, fault: 'malformed' })
  })
})
