import { ACKNOWLEDGEMENT_TYPE, type JobUsage, acknowledgementClaims, hostPublicKey } from '@daisi/protocol'
import { calculateJwkThumbprint, decodeProtectedHeader, importJWK, jwtVerify } from 'jose'

/** Whose acknowledgement is expected, and of what. */
export interface ExpectedAcknowledgement {
  /** RFC 7638 thumbprint of the key that the Session token is bound to (`cnf.jkt`). */
  readonly keyThumbprint: string
  readonly hostId: string
  /** The Session's name for this Host. */
  readonly sessionId: string
  readonly jobId: string
}

/** What a Consumer acknowledged of a Job over a Direct Connection (rule D6), or undefined if it is not its word. */
export async function verifyAcknowledgement(
  acknowledgement: string,
  expected: ExpectedAcknowledgement,
): Promise<JobUsage | undefined> {
  try {
    const key = hostPublicKey.parse(decodeProtectedHeader(acknowledgement).jwk)
    if ((await calculateJwkThumbprint(key)) !== expected.keyThumbprint) return undefined
    const { payload } = await jwtVerify(acknowledgement, await importJWK(key, 'EdDSA'), {
      algorithms: ['EdDSA', 'Ed25519'],
      typ: ACKNOWLEDGEMENT_TYPE,
      audience: expected.hostId,
    })
    const claims = acknowledgementClaims.parse(payload)
    if (claims.sid !== expected.sessionId || claims.jobId !== expected.jobId) return undefined
    const { promptTokens, cachedTokens, generatedTokens } = claims
    return { promptTokens, cachedTokens, generatedTokens }
  } catch {
    return undefined
  }
}
