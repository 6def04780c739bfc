import { type JobUsage, RECEIPT_TYPE, type ReceiptClaims, receiptClaims } from '@daisi/protocol'
import { errors, importJWK, jwtVerify } from 'jose'

/** Who must have signed a receipt, and for what. */
export interface ExpectedReceipt {
  readonly hostId: string
  /** The `x` of the Host's Ed25519 JWK. */
  readonly publicKey: string
  readonly issuer: string
  readonly jobId: string
  readonly sessionId: string
  /** The file that the Job asked for, or undefined if any under the model's id would do. */
  readonly modelSha256: string | undefined
}

/**
 * Why a receipt does not count: not signed with the Host's key, for another Job, Session or model file, or no receipt of
 * this Host for this Orc at all.
 */
export type ReceiptFault = 'signature' | 'job' | 'session' | 'model' | 'malformed'

/** What a receipt comes to. Times are milliseconds since the epoch by the Host's clock. */
export type VerifiedReceipt =
  | { readonly ok: true; readonly usage: JobUsage; readonly startedAt: number; readonly endedAt: number }
  | { readonly ok: false; readonly fault: ReceiptFault }

/** What a receipt states, or why it is not this Host's receipt for this Job (rule R3). */
export async function verifyReceipt(receipt: string, expected: ExpectedReceipt): Promise<VerifiedReceipt> {
  const claims = await readClaims(receipt, expected)
  if (typeof claims === 'string') return { ok: false, fault: claims }
  if (claims.jobId !== expected.jobId) return { ok: false, fault: 'job' }
  if (claims.sid !== expected.sessionId) return { ok: false, fault: 'session' }
  if (expected.modelSha256 !== undefined && claims.modelSha256 !== expected.modelSha256)
    return { ok: false, fault: 'model' }
  const { promptTokens, cachedTokens, generatedTokens, startedAt, endedAt } = claims
  return { ok: true, usage: { promptTokens, cachedTokens, generatedTokens }, startedAt, endedAt }
}

async function readClaims(
  receipt: string,
  expected: ExpectedReceipt,
): Promise<ReceiptClaims | 'signature' | 'malformed'> {
  try {
    const { payload } = await jwtVerify(receipt, await hostKey(expected.publicKey), {
      algorithms: ['EdDSA', 'Ed25519'],
      typ: RECEIPT_TYPE,
      issuer: expected.hostId,
      audience: expected.issuer,
    })
    return receiptClaims.safeParse(payload).data ?? 'malformed'
  } catch (error) {
    const forged =
      error instanceof errors.JWSSignatureVerificationFailed || error instanceof errors.JOSEAlgNotAllowed
    return forged ? 'signature' : 'malformed'
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
