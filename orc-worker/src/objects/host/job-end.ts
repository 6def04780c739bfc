import type { JobUsage } from '@daisi/protocol'
import { clockSkew, excessClaim, invalidReceipt } from '../../domain/anomalies/host-sightings.ts'
import { NO_USAGE, weighClaim } from '../../domain/money/claim.ts'
import { hashCredential } from '../../domain/credential.ts'
import { verifyReceipt } from '../../domain/receipt.ts'
import { logEvent } from '../../log.ts'
import type { MeteredJob } from './attachments.ts'
import type { HostContext } from './context.ts'
import type { HostStorage } from './storage.ts'

/** What a Host said at the end of a Job. */
export interface Claim {
  readonly job: MeteredJob
  readonly receipt: string
  /**
   * True if all that the Host sent was metered. Frames that come after a Consumer left are dropped unseen, and an honest
   * Host's count is larger then.
   */
  readonly metered: boolean
}

/**
 * A Job ended with a receipt: what both sides agree on is billed (rules R2, R3), and what looks wrong is noted. Answers
 * what is billed. Until then nothing else may end the Job; if the object dies, its checkpoint does.
 */
export async function endWithReceipt(
  { job, receipt, metered }: Claim,
  context: HostContext,
): Promise<JobUsage> {
  const { jobId, sessionId, modelSha256, model } = job
  const { hostId, publicKey, issuer } = job.identity
  const { storage, outbox, weighing } = context
  weighing.add(jobId)
  try {
    const expected = { hostId, publicKey, issuer, jobId, sessionId, modelSha256 }
    const verified = await verifyReceipt(receipt, expected)
    const now = Date.now()
    const claim = { hostId, jobId, receipt }
    if (!verified.ok) {
      logEvent('receipt_invalid', { hostId, jobId, reason: verified.fault })
      record(job, NO_USAGE, storage, now)
      // An empty one claims nothing: the Host says that it failed.
      if (receipt !== '')
        await outbox.note(
          invalidReceipt(
            { hostId, jobId, digest: await hashCredential(receipt), fault: verified.fault },
            now,
          ),
        )
      return NO_USAGE
    }
    const { usage: claimed, endedAt } = verified
    const { usage, excess } = weighClaim(job, claimed)
    record(job, usage, storage, now)
    const exceeding =
      metered && excess !== undefined ? { ...claim, model, meter: job, claimed, excess } : undefined
    await outbox.note(
      exceeding === undefined ? undefined : excessClaim(exceeding, now),
      clockSkew({ ...claim, endedAt }, now),
    )
    return usage
  } finally {
    weighing.delete(jobId)
  }
}

/** A Job ended without a word from its Host: the Orc's own meter counts. */
export function endWithoutReceipt(job: MeteredJob, storage: HostStorage): void {
  record(job, weighClaim(job, undefined).usage, storage, Date.now())
}

function record(job: MeteredJob, usage: JobUsage, storage: HostStorage, endedAt: number): void {
  const { jobId, sessionName, kind, model, network, promptBytes } = job
  const { hostId, accountId: payee } = job.identity
  // Bytes of text tell whether tokens are counted as others count them. Those of results say nothing of it.
  const textBytes = kind === 'chat' ? job.textBytes : 0
  storage.recordEnd({
    jobId,
    sessionName,
    hostId,
    payee,
    model,
    network,
    usage,
    promptBytes,
    textBytes,
    endedAt,
  })
}
