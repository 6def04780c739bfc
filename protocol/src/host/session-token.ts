import * as z from 'zod'
import { count, hostId, networkName, sessionId } from '../ids.ts'

/** `typ` header of a Session token. */
export const SESSION_TOKEN_TYPE = 'daisi-session+jwt'

/** Accepted signature algorithms: RFC 9864's name and, while peers move, its predecessor's. */
export const SESSION_TOKEN_ALGORITHMS: readonly string[] = ['Ed25519', 'EdDSA']

/** How a Session's traffic travels: through the Orc, or straight between Consumer and Host. */
export const sessionMode = z.enum(['orchestrated', 'direct'])
export type SessionMode = z.infer<typeof sessionMode>

/** Claims of a Session token (T1). Times are NumericDate seconds (RFC 7519 §2). */
export const sessionTokenClaims = z.object({
  /** The Orc that signed it. */
  iss: z.string(),
  /** The only Host that may accept it. */
  aud: hostId,
  /** Pairwise pseudonym of the Consumer: differs from Session to Session and from Host to Host. */
  sub: z.string(),
  sid: sessionId,
  /** Identifies this token; the Host counts spent budget by it. */
  jti: z.string().min(1).max(128),
  iat: z.int(),
  exp: z.int(),
  net: networkName,
  mode: sessionMode,
  /** Tokens, prompt and answer together, that this Host may process under this token. */
  budget: count,
  /**
   * With `mode: "direct"`: the Consumer's key, by its RFC 7638 thumbprint (RFC 7800, RFC 9449 §6). Without a proof by that key
   * the token is worth nothing (D2).
   */
  cnf: z.object({ jkt: z.string().regex(/^[A-Za-z0-9_-]{43}$/) }).optional(),
  /** True if the Consumer belongs to the account that owns this Host: the work is free, and may go before other work (P3). */
  own: z.boolean().optional(),
  /** With `mode: "direct"`: the only model that it may be used for. */
  model: z.string().max(128).optional(),
})
export type SessionTokenClaims = z.infer<typeof sessionTokenClaims>
