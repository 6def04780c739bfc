import {
  HOST_PROOF_TYPE,
  type HostPublicKey,
  type ProofPurpose,
  hostProofClaims,
  hostPublicKey,
} from '@daisi/protocol'
import { calculateJwkThumbprint, decodeProtectedHeader, importJWK, jwtVerify } from 'jose'
import { checkChallenge } from './challenge.ts'

/** What a verified proof says: this key is in the hands of whoever sent it, now. */
export interface HostProof {
  readonly hostId: string
  readonly publicKey: HostPublicKey
  readonly nonce: string
}

/** Verifies a Host's proof (rule C2). Undefined for any fault: the sender learns no more than that it was refused. */
export async function verifyHostProof(
  proof: string,
  expected: { issuer: string; origin: string; purpose: ProofPurpose; challengeMac: CryptoKey; now: number },
): Promise<HostProof | undefined> {
  try {
    const header = decodeProtectedHeader(proof)
    const publicKey = hostPublicKey.parse(header.jwk)
    const hostId = await calculateJwkThumbprint(publicKey)
    const { payload } = await jwtVerify(proof, await importJWK(publicKey, 'EdDSA'), {
      algorithms: ['EdDSA', 'Ed25519'],
      typ: HOST_PROOF_TYPE,
      issuer: hostId,
      audience: expected.issuer,
      currentDate: new Date(expected.now),
    })
    const claims = hostProofClaims.parse(payload)
    if (claims.origin !== expected.origin || claims.purpose !== expected.purpose) return undefined
    if (!(await checkChallenge(claims.nonce, expected.now, expected.challengeMac))) return undefined
    return { hostId, publicKey, nonce: claims.nonce }
  } catch {
    return undefined
  }
}
