import { directoryStub } from '../stubs.ts'
import { RelayClose } from '../relay-close.ts'
import { type HostSocket, type RelaySocket, writeAttachment } from './attachments.ts'
import type { HostContext } from './context.ts'
import { endWithoutReceipt } from './settlement.ts'
import type { Tagged } from './sockets.ts'

/** A Host's connection is over: its Jobs end here, their part is paid, and the directory forgets it. */
export async function endHostConnection(host: HostSocket, context: HostContext): Promise<void> {
  for (const relay of context.sockets.relaysOf(host.connectionId)) loseRelay(relay, context)
  for (const { job } of context.storage.checkpoints()) {
    if (job.connectionId === host.connectionId) endWithoutReceipt(job, context.storage)
  }
  await directoryStub(context.env, host.identity.network).withdraw(host.identity.hostId, host.connectionId)
  await context.reporter.report()
}

/** Ends Jobs whose sockets are gone and whose time is up: the object was restarted, or a receipt never came. */
export async function reconcile(context: HostContext, now: number): Promise<void> {
  for (const { job, deadline } of context.storage.checkpoints()) {
    if (context.sockets.relay(job.jobId) !== undefined) await context.alarm.at(now + 60_000)
    else if (deadline <= now) endWithoutReceipt(job, context.storage)
    else await context.alarm.at(deadline)
  }
}

function loseRelay({ socket, attachment }: Tagged<RelaySocket>, context: HostContext): void {
  if (attachment.ended) return
  writeAttachment(socket, { ...attachment, ended: true })
  if (attachment.job.accepted) endWithoutReceipt(attachment.job, context.storage)
  socket.close(RelayClose.HostLost, 'host lost')
}
