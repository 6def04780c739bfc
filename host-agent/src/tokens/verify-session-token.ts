import {
  type HostId,
  type RefusalCode,
  type SessionMode,
  SESSION_TOKEN_ALGORITHMS,
  SESSION_TOKEN_TYPE,
  type SessionTokenClaims,
  sessionTokenClaims,
} from '@daisi/protocol'
import {
  errors,
  type FlattenedJWSInput,
  type JWTHeaderParameters,
  type JWTVerifyGetKey,
  jwtVerify,
  type JWTVerifyResult,
} from 'jose'

/** Seconds by which the clocks of Orc and Host may differ. */
export const CLOCK_TOLERANCE_SECONDS = 5

/** A token has about 700 characters. More is not even decoded. */
const LONGEST_TOKEN = 4096

/** Three base64url parts and nothing between (RFC 7515 §7.1): decoders forgive more than that. */
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]+$/

/** What a token is checked against. */
export interface TokenExpectation {
  readonly issuer: string
  readonly hostId: HostId
  readonly networks: readonly string[]
  /** How the Job came: a token for the other way is worth nothing (D2). */
  readonly mode: SessionMode
  readonly getKey: JWTVerifyGetKey
  readonly nowMs: number
}

export type TokenVerdict =
  | { readonly ok: true; readonly claims: SessionTokenClaims }
  | { readonly ok: false; readonly code: RefusalCode; readonly message: string }

/** Verifies a Session token (T1–T3). It decides alone whether a Job is run, so it trusts nothing but the Orc's keys. */
export async function verifySessionToken(token: string, expected: TokenExpectation): Promise<TokenVerdict> {
  if (token.length > LONGEST_TOKEN || !COMPACT.test(token))
    return invalid('the session token is too long, or no JWT in compact form')
  let verified: JWTVerifyResult
  try {
    verified = await jwtVerify(token, namedKey(expected.getKey), {
      algorithms: [...SESSION_TOKEN_ALGORITHMS],
      issuer: expected.issuer,
      audience: expected.hostId,
      typ: SESSION_TOKEN_TYPE,
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      currentDate: new Date(expected.nowMs),
      requiredClaims: ['exp', 'iat', 'jti', 'sid', 'net', 'budget'],
    })
  } catch (error) {
    return refusalOf(error)
  }
  // Nothing that a token could demand to be understood is known here (RFC 7515 §4.1.11), not even what jose knows.
  if (verified.protectedHeader.crit !== undefined)
    return invalid('the session token demands an extension that this Host does not know')
  const claims = sessionTokenClaims.safeParse(verified.payload)
  if (!claims.success) {
    const field = claims.error.issues[0]?.path.join('.') ?? ''
    return invalid(`the session token's claim ${field} is missing or wrong`)
  }
  const { iat, mode, cnf } = claims.data
  if (iat > expected.nowMs / 1000 + CLOCK_TOLERANCE_SECONDS)
    return invalid("the session token is from the future; check this machine's clock and the Orc's")
  if (mode !== expected.mode || (mode === 'direct' && cnf === undefined))
    return invalid(`the session token is not one for ${expected.mode} connections`)
  if (!expected.networks.includes(claims.data.net))
    return {
      ok: false,
      code: 'token_network',
      message: 'the session token is for a network that this Host does not serve',
    }
  return { ok: true, claims: claims.data }
}

/** Asks for a key only by its name: without one, which key a token meets would depend on how many the Orc publishes. */
function namedKey(getKey: JWTVerifyGetKey): JWTVerifyGetKey {
  return (header: JWTHeaderParameters, token: FlattenedJWSInput) => {
    if (typeof header.kid !== 'string') throw new errors.JWSInvalid('the token names no key')
    return getKey(header, token)
  }
}

function invalid(message: string): TokenVerdict {
  return { ok: false, code: 'token_invalid', message }
}

function refusalOf(error: unknown): TokenVerdict {
  if (error instanceof errors.JWTExpired)
    return { ok: false, code: 'token_expired', message: 'the session token has expired; request a new one' }
  if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'aud')
    return { ok: false, code: 'token_audience', message: 'the session token is for another Host' }
  const reason = error instanceof errors.JOSEError ? error.code : 'ERR_UNKNOWN'
  return invalid(`the session token does not verify (${reason})`)
}
