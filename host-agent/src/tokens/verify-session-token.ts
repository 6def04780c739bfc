import {
  type HostId,
  type RefusalCode,
  SESSION_TOKEN_ALGORITHMS,
  SESSION_TOKEN_TYPE,
  type SessionTokenClaims,
  sessionTokenClaims,
} from '@daisi/protocol'
import { errors, type JWTVerifyGetKey, jwtVerify } from 'jose'

/** Seconds by which the clocks of Orc and Host may differ. */
export const CLOCK_TOLERANCE_SECONDS = 5

/** What a token is checked against. */
export interface TokenExpectation {
  readonly issuer: string
  readonly hostId: HostId
  readonly networks: readonly string[]
  readonly getKey: JWTVerifyGetKey
  readonly nowMs: number
}

export type TokenVerdict =
  | { readonly ok: true; readonly claims: SessionTokenClaims }
  | { readonly ok: false; readonly code: RefusalCode; readonly message: string }

/** Verifies a Session token (T1–T3). It decides alone whether a Job is run, so it trusts nothing but the Orc's keys. */
export async function verifySessionToken(token: string, expected: TokenExpectation): Promise<TokenVerdict> {
  let payload: unknown
  try {
    const verified = await jwtVerify(token, expected.getKey, {
      algorithms: [...SESSION_TOKEN_ALGORITHMS],
      issuer: expected.issuer,
      audience: expected.hostId,
      typ: SESSION_TOKEN_TYPE,
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      currentDate: new Date(expected.nowMs),
      requiredClaims: ['exp', 'iat', 'jti', 'sid', 'net', 'budget'],
    })
    payload = verified.payload
  } catch (error) {
    return refusalOf(error)
  }
  const claims = sessionTokenClaims.safeParse(payload)
  if (!claims.success) {
    const field = claims.error.issues[0]?.path.join('.') ?? ''
    return {
      ok: false,
      code: 'token_invalid',
      message: `the session token's claim ${field} is missing or wrong`,
    }
  }
  if (!expected.networks.includes(claims.data.net))
    return {
      ok: false,
      code: 'token_network',
      message: 'the session token is for a network that this Host does not serve',
    }
  return { ok: true, claims: claims.data }
}

function refusalOf(error: unknown): TokenVerdict {
  if (error instanceof errors.JWTExpired)
    return { ok: false, code: 'token_expired', message: 'the session token has expired; request a new one' }
  if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'aud')
    return { ok: false, code: 'token_audience', message: 'the session token is for another Host' }
  const reason = error instanceof errors.JOSEError ? error.code : 'ERR_UNKNOWN'
  return { ok: false, code: 'token_invalid', message: `the session token does not verify (${reason})` }
}
