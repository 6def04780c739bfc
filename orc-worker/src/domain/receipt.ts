import { type JobUsage, RECEIPT_TYPE, type ReceiptClaims, receiptClaims } from '@daisi/protocol'
import { importJWK, jwtVerify } from 'jose'

/** Who must have signed a receipt, and for what. */
export interface ExpectedReceipt {
  readonly hostId: string
  /** The `x` of the Host's Ed25519 JWK. */
  readonly publicKey: string
  readonly issuer: string
  readonly jobId: string
  readonly sessionId: string
}

/** The usage that a receipt states, or undefined if it is not this Host's receipt for this Job (rule R3). */
export async function verifyReceipt(
  receipt: string,
  expected: ExpectedReceipt,
): Promise<JobUsage | undefined> {
  const claims = await readClaims(receipt, expected)
  if (claims === undefined || claims.jobId !== expected.jobId || claims.sid !== expected.sessionId)
    return undefined
  return {
    promptTokens: claims.promptTokens,
    cachedTokens: claims.cachedTokens,
    generatedTokens: claims.generatedTokens,
  }
}

async function readClaims(receipt: string, expected: ExpectedReceipt): Promise<ReceiptClaims | undefined> {
  try {
    const { payload } = await jwtVerify(receipt, await hostKey(expected.publicKey), {
      algorithms: ['EdDSA', 'Ed25519'],
      typ: RECEIPT_TYPE,
      issuer: expected.hostId,
      audience: expected.issuer,
    })
    return receiptClaims.parse(payload)
  } catch {
    return undefined
  }
}

/** Keys that were imported before, oldest first. Importing costs as much as verifying. */
const imported = new Map<string, Promise<CryptoKey | Uint8Array>>()
const MAX_IMPORTED = 256

function hostKey(x: string): Promise<CryptoKey | Uint8Array> {
  const known = imported.get(x)
  if (known !== undefined) return known
  const [oldest] = imported.keys()
  if (imported.size >= MAX_IMPORTED && oldest !== undefined) imported.delete(oldest)
  const key = importJWK({ kty: 'OKP', crv: 'Ed25519', x }, 'EdDSA')
  imported.set(x, key)
  return key
}
