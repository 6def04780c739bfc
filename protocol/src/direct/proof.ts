import * as z from 'zod'
import { jobId } from '../ids.ts'

/** `typ` header of the proof that comes with each request to a Host, in the header `DPoP` (RFC 9449 §4.2). */
export const DPOP_TYPE = 'dpop+jwt'

/**
 * Claims of the proof (D2). Its protected header has `alg: "EdDSA"`, `typ` and the Consumer's public key as `jwk`, whose
 * thumbprint is the Session token's `cnf.jkt`.
 */
export const dpopClaims = z.object({
  /** The Job's id: new for every proof, which makes each usable once. */
  jti: jobId,
  htm: z.literal('POST'),
  /** The address of the request, as the Orc gave it: endpoint and path. */
  htu: z.string().max(400),
  iat: z.int(),
  /** SHA-256 of the Session token, base64url. */
  ath: z.string(),
  /** SHA-256 of the request's body, base64url, so that nobody between can put another in. */
  body: z.string(),
})
export type DpopClaims = z.infer<typeof dpopClaims>
