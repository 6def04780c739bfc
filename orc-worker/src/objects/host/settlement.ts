import type { JobUsage } from '@daisi/protocol'
import { billableUsage } from '../../domain/price.ts'
import { verifyReceipt } from '../../domain/receipt.ts'
import { logEvent } from '../../log.ts'
import type { MeteredJob } from './attachments.ts'
import type { HostStorage } from './storage.ts'

const NOTHING: JobUsage = { promptTokens: 0, cachedTokens: 0, generatedTokens: 0 }

/** A Job ended with a receipt: what both sides agree on is billed (rules R2, R3). Answers what that is. */
export async function endWithReceipt(
  job: MeteredJob,
  receipt: string,
  storage: HostStorage,
): Promise<JobUsage> {
  const { hostId, publicKey, issuer } = job.identity
  const stated = await verifyReceipt(receipt, {
    hostId,
    publicKey,
    issuer,
    jobId: job.jobId,
    sessionId: job.sessionId,
  })
  if (stated === undefined) logEvent('receipt_invalid', { hostId, jobId: job.jobId })
  const usage = stated === undefined ? NOTHING : billableUsage(job, stated)
  record(job, usage, storage)
  return usage
}

/** A Job ended without a word from its Host: the Orc's own meter counts. */
export function endWithoutReceipt(job: MeteredJob, storage: HostStorage): void {
  record(job, billableUsage(job, undefined), storage)
}

function record(job: MeteredJob, usage: JobUsage, storage: HostStorage): void {
  storage.recordEnd({ jobId: job.jobId, sessionName: job.sessionName, payee: job.identity.accountId, usage })
}
