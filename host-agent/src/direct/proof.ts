import { createHash } from 'node:crypto'
import { DPOP_TYPE, type DpopClaims, dpopClaims } from '@daisi/protocol'
import { CLOCK_TOLERANCE_SECONDS } from '../tokens/verify-session-token.ts'
import { readConsumerJws } from './consumer-jws.ts'
import { type DirectFailure, failure } from './direct-failure.ts'

/** Seconds that a proof is good for (D3). */
export const PROOF_SECONDS = 60

/** What a proof has to be for. */
export interface ProofExpectation {
  /** The Session token beside it. */
  readonly token: string
  /** Thumbprint of the key that the token is bound to (`cnf.jkt`). */
  readonly thumbprint: string
  /** The address of the request, as this Host announces it. */
  readonly address: string
  readonly nowMs: number
  /** Proofs from before this are refused: who was asked then is not there any more, and nor is its memory of proofs. */
  readonly sinceMs: number
}

/**
 * Checks the proof of a request (RFC 9449 §4.3, rules D2 and D3), but for the body, which has not come yet: `claims.body` is
 * for `provesBody` to compare then. Whether it was used before is the caller's to know.
 */
export async function checkProof(
  proof: string,
  expected: ProofExpectation,
): Promise<{ readonly ok: true; readonly claims: DpopClaims } | DirectFailure> {
  const jws = readConsumerJws(proof, DPOP_TYPE)
  if (jws === undefined) return invalid('it is no DPoP proof by an Ed25519 key')
  const claims = dpopClaims.safeParse(jws.payload)
  if (!claims.success)
    return invalid(`its claim ${claims.error.issues[0]?.path.join('.')} is missing or wrong`)
  const { htu, iat, ath } = claims.data
  const nowSeconds = expected.nowMs / 1000
  if (htu !== expected.address) return invalid('it is for another address')
  if (ath !== sha256(expected.token)) return invalid('it is for another session token')
  if (iat < nowSeconds - PROOF_SECONDS || iat > nowSeconds + CLOCK_TOLERANCE_SECONDS)
    return invalid('its time is not now; check the clock')
  if (iat < Math.floor(expected.sinceMs / 1000)) return invalid('it is older than this Host; make a new one')
  if ((await jws.thumbprint()) !== expected.thumbprint)
    return invalid('the session token is bound to another key')
  if (!(await jws.verifies())) return invalid('its signature does not verify')
  return { ok: true, claims: claims.data }
}

/** Whether the proof is for this body. */
export function provesBody(claims: DpopClaims, body: Uint8Array): boolean {
  return claims.body === sha256(body)
}

function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('base64url')
}

function invalid(reason: string): DirectFailure {
  return failure('proof_invalid', `the proof in the header DPoP does not count: ${reason}`)
}
