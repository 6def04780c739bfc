import * as z from 'zod'
import { count, hostId, jobId, sessionId, sha256Hex } from '../ids.ts'

/** `typ` header of a receipt. */
export const RECEIPT_TYPE = 'daisi-receipt+jwt'

/** Claims of a receipt: what a Host says a Job cost, signed with the Host's key (R1). */
export const receiptClaims = z.object({
  iss: hostId,
  /** The Orc's issuer. */
  aud: z.string(),
  jobId,
  sid: sessionId,
  modelSha256: sha256Hex.optional(),
  promptTokens: count,
  cachedTokens: count,
  generatedTokens: count,
  /** Milliseconds since the epoch by the Host's clock. */
  startedAt: count,
  endedAt: count,
})
export type ReceiptClaims = z.infer<typeof receiptClaims>
