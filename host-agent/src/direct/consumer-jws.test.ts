import { generateKeyPairSync, sign } from 'node:crypto'
import { ACKNOWLEDGEMENT_TYPE, acknowledgementClaims } from '@daisi/protocol'
import { expect, test } from 'vitest'
import { readConsumerJws } from './consumer-jws.ts'

const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const { x } = publicKey.export({ format: 'jwk' })
const jwk = { kty: 'OKP', crv: 'Ed25519', x }
const header = { alg: 'EdDSA', typ: ACKNOWLEDGEMENT_TYPE, jwk }
const claims = {
  aud: 'h'.repeat(43),
  sid: `ses_${'a'.repeat(32)}`,
  jobId: `job_${'1'.repeat(32)}`,
  promptTokens: 5,
  cachedTokens: 0,
  generatedTokens: 9,
  iat: 1_700_000_000,
}
const json = JSON.stringify(claims)

function encode(value: unknown): string {
  const bytes = Buffer.isBuffer(value)
    ? value
    : Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
  return bytes.toString('base64url')
}

/** A JWS whose signature is good for what is written, however it is written. */
function signed(head: string, payload: string, rewrite = (signature: string) => signature): string {
  const signature = sign(null, Buffer.from(`${head}.${payload}`, 'latin1'), privateKey)
  return `${head}.${payload}.${rewrite(signature.toString('base64url'))}`
}

/** The last of the letters stands for two or four bits that are no part of the bytes. */
function otherLastLetter(text: string): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return text.slice(0, -1) + letters[letters.indexOf(text.at(-1) ?? '') + 1]
}

/** What is acknowledged, or undefined where it is nobody's word. */
async function acknowledged(jws: string): Promise<number | undefined> {
  const read = readConsumerJws(jws, ACKNOWLEDGEMENT_TYPE)
  const parsed = acknowledgementClaims.safeParse(read?.payload)
  return parsed.success && (await read?.verifies()) ? parsed.data.generatedTokens : undefined
}

const head = encode(header)
const payload = encode(claims)
const invalidUtf8 = Buffer.concat([
  Buffer.from('{"aud":"'),
  Buffer.from([0xff, 0xfe]),
  Buffer.from(`",${json.slice(1)}`),
])

test.each<[string, string, number | undefined]>([
  ['as the SDK makes it', signed(head, payload), 9],
  ['under the newer name of its algorithm', signed(encode({ ...header, alg: 'Ed25519' }), payload), 9],
  ['with white space in the JSON', signed(head, encode(` \n${json} `)), 9],
  ['from any time', signed(head, encode({ ...claims, iat: 9_999_999_999 })), 9],
  [
    'with a claim twice: the last counts',
    signed(head, encode(json.replace('}', ',"generatedTokens":1}'))),
    1,
  ],
  ['not valid before', signed(head, encode({ ...claims, nbf: 9_999_999_999 })), undefined],
  ['expired', signed(head, encode({ ...claims, exp: 1 })), undefined],
  ['with exp null', signed(head, encode({ ...claims, exp: null })), undefined],
  ['with another claim', signed(head, encode({ ...claims, jti: 'x' })), undefined],
  ['without iat', signed(head, encode({ ...claims, iat: undefined })), undefined],
  ['with half a token', signed(head, encode({ ...claims, generatedTokens: 0.5 })), undefined],
  ['with fewer than none', signed(head, encode({ ...claims, generatedTokens: -1 })), undefined],
  ['in invalid UTF-8', signed(head, encode(invalidUtf8)), undefined],
  ['with a byte order mark', signed(head, encode(`\uFEFF${json}`)), undefined],
  ['of another type', signed(encode({ ...header, typ: 'dpop+jwt' }), payload), undefined],
  [
    'of its type in capitals',
    signed(encode({ ...header, typ: ACKNOWLEDGEMENT_TYPE.toUpperCase() }), payload),
    undefined,
  ],
  ['of another algorithm', signed(encode({ ...header, alg: 'HS256' }), payload), undefined],
  ['with a demand', signed(encode({ ...header, crit: ['b64'], b64: true }), payload), undefined],
  ['with a private key', signed(encode({ ...header, jwk: { ...jwk, d: x } }), payload), undefined],
  [
    'with its key spelled otherwise',
    signed(encode({ ...header, jwk: { ...jwk, x: otherLastLetter(String(x)) } }), payload),
    undefined,
  ],
  ['with padding', signed(head, `${payload}=`), undefined],
  ['with a line break', signed(head, `${payload.slice(0, 8)}\n${payload.slice(8)}`), undefined],
  ['with a stray letter', signed(head, `${payload.slice(0, 8)}!${payload.slice(8)}`), undefined],
  ['with its signature padded', signed(head, payload, (text) => `${text}==`), undefined],
  ['with its signature spelled otherwise', signed(head, payload, otherLastLetter), undefined],
  [
    'in the other alphabet',
    signed(encode({ ...header, z: 'ÿÿ>>??~~' }).replaceAll('_', '/'), payload),
    undefined,
  ],
])('[D6] an acknowledgement %s', async (_, jws, tokens) => {
  expect(await acknowledged(jws)).toBe(tokens)
})
