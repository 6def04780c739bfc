import { HOST_PROOF_TYPE, type HostProofClaims } from '@daisi/protocol'
import type { Identity } from '../state/identity.ts'

/** The JWT with which a Host proves to an Orc that it holds its key (C2). */
export function signProof(identity: Identity, issuer: string, nonce: string, nowMs: number): Promise<string> {
  const claims: HostProofClaims = { iss: identity.hostId, aud: issuer, nonce, iat: Math.floor(nowMs / 1000) }
  return identity.sign(claims, HOST_PROOF_TYPE, true)
}
