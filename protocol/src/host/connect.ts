import * as z from 'zod'
import { hostId, networkName } from '../ids.ts'

/** Answer of `POST /host/v1/challenge` (C1): a nonce to sign, valid for `expiresInSeconds`. */
export const challengeResponse = z.object({
  nonce: z.string().min(16).max(256),
  expiresInSeconds: z.int().positive(),
})
export type ChallengeResponse = z.infer<typeof challengeResponse>

/** `typ` header of the proof JWT that a Host signs (C2). */
export const HOST_PROOF_TYPE = 'daisi-host-proof+jwt'

/** What a proof is for. One made for enrolling opens no connection. */
export const proofPurpose = z.enum(['enrol', 'connect'])
export type ProofPurpose = z.infer<typeof proofPurpose>

/**
 * Claims of the proof JWT. Its protected header holds `alg: "EdDSA"`, `typ` and the public key as `jwk`; `iss` is the
 * Host's id, `aud` the Orc's issuer from `/.well-known/daisi`, `nonce` an unused challenge.
 */
export const hostProofClaims = z.object({
  iss: hostId,
  aud: z.string(),
  nonce: z.string(),
  iat: z.int(),
  /**
   * Host name, and port where it is not the scheme's own, that the Host dialled. An Orc accepts only its own, so that one
   * Orc cannot pass a proof on to another (like `htu` of RFC 9449).
   */
  origin: z.string().max(300),
  purpose: proofPurpose,
})
export type HostProofClaims = z.infer<typeof hostProofClaims>

/** An Ed25519 public key as a JWK (RFC 8037). */
export const hostPublicKey = z.object({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
})
export type HostPublicKey = z.infer<typeof hostPublicKey>

/** Body of `POST /host/v1/enrol` (C3). The key is taken from the proof's `jwk` header. */
export const enrolRequest = z.object({
  token: z.string().min(1).max(256),
  proof: z.string().min(1).max(4096),
  name: z.string().min(1).max(64).optional(),
})
export type EnrolRequest = z.infer<typeof enrolRequest>

/** Answer of `POST /host/v1/enrol`. `alias` is what Consumers see of this Host. */
export const enrolResponse = z.object({ hostId, alias: z.string(), networks: z.array(networkName) })
export type EnrolResponse = z.infer<typeof enrolResponse>

/** Where a Host connects: a WebSocket upgrade with `Authorization: Bearer <proof JWT>` (C2). */
export const HOST_CONNECT_PATH = '/host/v1/connect'
export const HOST_CHALLENGE_PATH = '/host/v1/challenge'
export const HOST_ENROL_PATH = '/host/v1/enrol'
