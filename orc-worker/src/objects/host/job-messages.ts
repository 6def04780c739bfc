import { type Accepted, CloseCode, type JobEnd, type Refused, encodeUp } from '@daisi/protocol'
import { strayReceipt } from '../../domain/anomalies/host-sightings.ts'
import { hashCredential } from '../../domain/credential.ts'
import { within } from '../../domain/within.ts'
import { type HostSocket, writeAttachment } from './attachments.ts'
import type { HostContext } from './context.ts'
import { leavesJob, noteTaken, noteUntaken } from './idle-claim.ts'
import { endWithReceipt } from './job-end.ts'
import type { Tagged } from './sockets.ts'

/** Longest that the end of an answer waits for its report. */
const REPORT_WAIT_MS = 1_000

/** The Host takes a Job (rule J2). */
export function acceptJob(
  host: Tagged<HostSocket>,
  message: Accepted,
  text: string,
  { sockets }: HostContext,
): void {
  const relay = sockets.ownRelay(host.attachment, message.jobId)
  if (relay === undefined) return
  if (relay.attachment.job.accepted) return host.socket.close(CloseCode.BadMessage, 'accepted twice')
  const job = {
    ...relay.attachment.job,
    accepted: true,
    promptTokens: message.promptTokens,
    cachedTokens: message.cachedTokens,
  }
  writeAttachment(relay.socket, { ...relay.attachment, job })
  relay.socket.send(text)
  noteTaken(host)
}

/** The Host does not take a Job (rule J3). */
export async function refuseJob(
  host: Tagged<HostSocket>,
  message: Refused,
  text: string,
  context: HostContext,
): Promise<void> {
  const relay = context.sockets.ownRelay(host.attachment, message.jobId)
  if (relay === undefined) return
  if (relay.attachment.job.accepted) return host.socket.close(CloseCode.BadMessage, 'refused after accepted')
  writeAttachment(relay.socket, { ...relay.attachment, ended: true })
  relay.socket.send(text)
  if (leavesJob(message.code, context)) await noteUntaken(host.socket, context)
}

/** The Host is done with a Job (rule J4). */
export async function endJob(
  { socket, attachment: host }: Tagged<HostSocket>,
  message: JobEnd,
  context: HostContext,
): Promise<void> {
  const { jobId, receipt } = message
  const { sockets, storage, reporter, outbox, weighing } = context
  // It said so before.
  if (weighing.has(jobId)) return
  const relay = sockets.ownRelay(host, jobId)
  const job = relay?.attachment.job ?? storage.checkpointOf(jobId)
  if (job === undefined) {
    // One that claims nothing may have lost its beginning with an Orc that was killed.
    if (storage.hasEnded(jobId) || message.usage.generatedTokens === 0) return
    const stray = { hostId: host.identity.hostId, jobId, digest: await hashCredential(receipt) }
    return outbox.note(strayReceipt(stray, Date.now()))
  }
  // An end without a beginning would free the hold while the Worker gives the Job to another Host.
  if (!job.accepted) return socket.close(CloseCode.BadMessage, 'job-end before accepted')
  if (relay !== undefined) writeAttachment(relay.socket, { ...relay.attachment, ended: true })
  const usage = await endWithReceipt({ job, receipt, metered: relay !== undefined }, context)
  // Reported before the Consumer hears of the end, so that whoever then asks for usage sees this Job in it (rule S3). A
  // Session that is slow to take a report delays nobody for long.
  await within(reporter.report(), REPORT_WAIT_MS)
  // What the Consumer is shown is what is charged, not what the Host says.
  relay?.socket.send(encodeUp({ ...message, usage }))
}
