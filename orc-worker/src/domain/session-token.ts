import {
  SESSION_TOKEN_ALGORITHMS,
  SESSION_TOKEN_TYPE,
  type SessionTokenClaims,
  sessionTokenClaims,
} from '@daisi/protocol'
import { type JWK, SignJWT, createLocalJWKSet, importJWK, jwtVerify } from 'jose'
import * as z from 'zod'
import { epochSeconds } from './time.ts'

/** Seconds for which a Session token admits new Jobs. A Job that runs when it expires may finish (rule T6). */
export const TOKEN_SECONDS = 5 * 60

const privateJwk = z.looseObject({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: z.string(),
  d: z.string(),
  kid: z.string().min(1),
})

/** The Orc's signing keys: the first signs, all are published so that rotation overlaps. */
export interface SigningKeys {
  readonly kid: string
  readonly sign: CryptoKey
  readonly publicJwks: readonly JWK[]
}

/** Reads `SIGNING_KEYS`. Throws with what is wrong and how to make new ones; never with key material. */
export async function readSigningKeys(json: string): Promise<SigningKeys> {
  const parsed = z.array(privateJwk).min(1).safeParse(parseJson(json))
  const first = parsed.data?.[0]
  if (!parsed.success || first === undefined) {
    throw new Error(
      'SIGNING_KEYS must be a JSON array of private Ed25519 JWKs with kid: make it with `daisi-orc secrets`',
    )
  }
  const sign = await importJWK({ kty: first.kty, crv: first.crv, x: first.x, d: first.d }, 'Ed25519')
  if (sign instanceof Uint8Array) throw new Error('SIGNING_KEYS holds a symmetric key')
  const publicJwks = parsed.data.map(({ kty, crv, x, kid }) => ({
    kty,
    crv,
    x,
    kid,
    use: 'sig',
    alg: 'Ed25519',
  }))
  return { kid: first.kid, sign, publicJwks }
}

/** Signs one Session token (rule T1). Times in milliseconds; it expires after `TOKEN_SECONDS` unless told otherwise. */
export async function signSessionToken(
  claims: Omit<SessionTokenClaims, 'iat' | 'exp'>,
  keys: SigningKeys,
  now: number,
  expiresAt: number = now + TOKEN_SECONDS * 1000,
): Promise<string> {
  const [iat, exp] = [epochSeconds(now), epochSeconds(expiresAt)]
  return new SignJWT({ ...claims, iat, exp })
    .setProtectedHeader({ alg: 'Ed25519', typ: SESSION_TOKEN_TYPE, kid: keys.kid })
    .sign(keys.sign)
}

/**
 * The claims of a Session token that this Orc signed for a Host, or undefined. One that has expired counts for `lateSeconds` more:
 * it is what a Job ran under, not what it asks to run under. `now` in milliseconds.
 */
export async function readOwnSessionToken(
  token: string,
  expected: {
    readonly issuer: string
    readonly hostId: string
    readonly lateSeconds: number
    readonly now: number
  },
  keys: SigningKeys,
): Promise<SessionTokenClaims | undefined> {
  try {
    const { payload } = await jwtVerify(token, createLocalJWKSet({ keys: [...keys.publicJwks] }), {
      algorithms: [...SESSION_TOKEN_ALGORITHMS],
      typ: SESSION_TOKEN_TYPE,
      issuer: expected.issuer,
      audience: expected.hostId,
      clockTolerance: expected.lateSeconds,
      currentDate: new Date(expected.now),
    })
    return sessionTokenClaims.parse(payload)
  } catch {
    return undefined
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
