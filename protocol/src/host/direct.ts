import * as z from 'zod'
import { jobId, sha256Hex } from '../ids.ts'

/** Where Consumers reach a Host that offers Direct Connections (D1). */
export const directOffer = z.object({
  /** `http:` or `https:` address without a slash at its end, as Consumers shall dial it. */
  endpoint: z.url({ protocol: /^https?$/ }).max(300),
  /** SHA-256 of its certificate's DER, where no public authority vouches for it. */
  certificateSha256: sha256Hex.optional(),
})
export type DirectOffer = z.infer<typeof directOffer>

/**
 * Host → Orc: one Job of a Direct Connection is over (D8). Sent until `direct-noted` names it, over restarts of either side.
 */
export const directReport = z.object({
  type: z.literal('direct-report'),
  jobId,
  /** The Session token that it ran under. The Orc knows its own signature. */
  sessionToken: z.string().max(4096),
  /** The Consumer's last acknowledgement, a compact JWS of `acknowledgementClaims`; '' where there is none, and nothing is paid. */
  acknowledgement: z.string().max(4096),
  /** The Host's receipt, as in `job-end`. */
  receipt: z.string().max(4096),
})
export type DirectReport = z.infer<typeof directReport>

/** Orc → Host: these reports are taken note of and need not come again (D8). */
export const directNoted = z.object({ type: z.literal('direct-noted'), jobIds: z.array(jobId).max(256) })
export type DirectNoted = z.infer<typeof directNoted>

/** Orc → Host: begin nothing more under the Session tokens with these `jti` (D9). Running Jobs finish. */
export const directRevoked = z.object({
  type: z.literal('direct-revoked'),
  tokenIds: z.array(z.string().max(128)).max(256),
})
export type DirectRevoked = z.infer<typeof directRevoked>
