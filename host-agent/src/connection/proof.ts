import { HOST_PROOF_TYPE, type HostProofClaims, type ProofPurpose } from '@daisi/protocol'
import type { Identity } from '../state/identity.ts'

/** The JWT with which a Host proves to the Orc at `url` that it holds its key, for one purpose (C2). */
export function signProof(
  identity: Identity,
  orc: { readonly url: string; readonly issuer: string },
  challenge: { readonly nonce: string; readonly purpose: ProofPurpose },
  nowMs: number,
): Promise<string> {
  const claims: HostProofClaims = {
    iss: identity.hostId,
    aud: orc.issuer,
    ...challenge,
    iat: Math.floor(nowMs / 1000),
    origin: new URL(orc.url).host,
  }
  return identity.sign(claims, HOST_PROOF_TYPE, true)
}
