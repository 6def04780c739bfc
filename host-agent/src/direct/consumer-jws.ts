import { calculateJwkThumbprint, compactVerify, decodeProtectedHeader, importJWK } from 'jose'
import * as z from 'zod'

/** A proof or an acknowledgement has about 700 characters. More is not even decoded. */
const LONGEST_JWS = 4096

/** The names of the only algorithm: that of RFC 8037, and its successor of RFC 9864. */
const ALGORITHMS = ['EdDSA', 'Ed25519'] as const

/** Three base64url parts and nothing between (RFC 7515 §7.1): decoders forgive more than that. */
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]+$/

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Strict: a key with a private half, or with anything else in it, is none (RFC 9449 §4.3, 7). */
const consumerKey = z.strictObject({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: z
    .string()
    .regex(/^[A-Za-z0-9_-]{43}$/)
    .refine(isCanonical),
})

/** What a Consumer signed, as it claims it. Nothing is true before `verifies`. */
export interface ConsumerJws {
  readonly payload: unknown
  /** RFC 7638 thumbprint of the key in the header. */
  readonly thumbprint: () => Promise<string>
  /** Whether the key in the header signed it. */
  readonly verifies: () => Promise<boolean>
}

/** Reads a compact JWS with its key in the header; undefined if it is none of this type. Checks no signature yet. */
export function readConsumerJws(jws: string, type: string): ConsumerJws | undefined {
  if (jws.length > LONGEST_JWS || !COMPACT.test(jws)) return undefined
  const parts = jws.split('.')
  const [, payload = ''] = parts
  if (!parts.every(isCanonical)) return undefined
  // `crit` is absent: nothing that a Consumer could demand to be understood is known here (RFC 7515 §4.1.11).
  const shape = z.looseObject({
    alg: z.enum(ALGORITHMS),
    typ: z.literal(type),
    jwk: consumerKey,
    crit: z.never().optional(),
  })
  try {
    const header = shape.parse(decodeProtectedHeader(jws))
    const { alg, jwk } = header
    return {
      payload: JSON.parse(strictUtf8.decode(Buffer.from(payload, 'base64url'))) as unknown,
      thumbprint: () => calculateJwkThumbprint(jwk),
      verifies: async () => {
        try {
          await compactVerify(jws, await importJWK(jwk, alg), { algorithms: [alg] })
          return true
        } catch {
          return false
        }
      },
    }
  } catch {
    return undefined
  }
}

/** True if these are the only letters for their bytes: there is one way to write a statement, for everybody who reads it. */
function isCanonical(part: string): boolean {
  return Buffer.from(part, 'base64url').toString('base64url') === part
}
