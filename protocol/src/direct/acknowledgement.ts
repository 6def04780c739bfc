import * as z from 'zod'
import { count, hostId, jobId, sessionId } from '../ids.ts'

/** `typ` header of an acknowledgement. */
export const ACKNOWLEDGEMENT_TYPE = 'daisi-acknowledgement+jwt'

/**
 * Claims of a running acknowledgement (D6): what the Consumer has received of one Job so far. A compact JWS with `alg: "EdDSA"`, `typ`,
 * and the key of the proof as `jwk`. No other claims: Host and Orc must not differ about what one is worth.
 */
export const acknowledgementClaims = z.strictObject({
  /** The Host. */
  aud: hostId,
  sid: sessionId,
  jobId,
  /** As the Host stated them, and the Consumer found them possible for the prompt's bytes. */
  promptTokens: count,
  cachedTokens: count,
  /** Every token so far, from the first. */
  generatedTokens: count,
  iat: z.int(),
})
export type AcknowledgementClaims = z.infer<typeof acknowledgementClaims>
