import { ACKNOWLEDGEMENT_TYPE, type JobUsage, acknowledgementClaims, hostPublicKey } from '@daisi/protocol'
import { calculateJwkThumbprint, compactVerify, decodeProtectedHeader, importJWK } from 'jose'

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Whose acknowledgement is expected, and of what. */
export interface ExpectedAcknowledgement {
  /** RFC 7638 thumbprint of the key that the Session token is bound to (`cnf.jkt`). */
  readonly keyThumbprint: string
  readonly hostId: string
  /** The Session's name for this Host. */
  readonly sessionId: string
  readonly jobId: string
}

/**
 * What a Consumer acknowledged of a Job over a Direct Connection (rule D6), or undefined if it is not its word. It is a statement, not
 * a JWT with a lifetime: whatever the Host has to take as one counts here too, and nothing else.
 */
export async function verifyAcknowledgement(
  acknowledgement: string,
  expected: ExpectedAcknowledgement,
): Promise<JobUsage | undefined> {
  try {
    const key = hostPublicKey.parse(decodeProtectedHeader(acknowledgement).jwk)
    if ((await calculateJwkThumbprint(key)) !== expected.keyThumbprint) return undefined
    const { payload, protectedHeader } = await compactVerify(acknowledgement, await importJWK(key, 'EdDSA'), {
      algorithms: ['EdDSA', 'Ed25519'],
    })
    if (protectedHeader.typ !== ACKNOWLEDGEMENT_TYPE) return undefined
    const claims = acknowledgementClaims.parse(JSON.parse(strictUtf8.decode(payload)))
    const isExpected =
      claims.aud === expected.hostId && claims.sid === expected.sessionId && claims.jobId === expected.jobId
    if (!isExpected) return undefined
    const { promptTokens, cachedTokens, generatedTokens } = claims
    return { promptTokens, cachedTokens, generatedTokens }
  } catch {
    return undefined
  }
}
