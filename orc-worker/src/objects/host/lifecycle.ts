import { tellDirectories } from './directories.ts'
import { RelayClose } from '../relay-close.ts'
import { type HostSocket, type RelaySocket, writeAttachment } from './attachments.ts'
import type { HostContext } from './context.ts'
import { RENEW_MS } from './holds.ts'
import { endWithoutReceipt } from './job-end.ts'
import type { Tagged } from './sockets.ts'

/** How long a Job that is over is remembered, so that a Host that ends it late or twice is not taken for a forger. */
const REMEMBER_ENDED_MS = 15 * 60_000

/** A Host's connection is over: its Jobs end here, their part is paid, and the directory forgets it. */
export async function endHostConnection(host: HostSocket, context: HostContext): Promise<void> {
  for (const relay of context.sockets.relaysOf(host.connectionId)) loseRelay(relay, context)
  for (const { job } of context.storage.checkpoints()) {
    const settles = job.connectionId === host.connectionId && !context.weighing.has(job.jobId)
    if (settles) endWithoutReceipt(job, context.storage)
  }
  const { identity, connectionId } = host
  await tellDirectories(identity, context, (directory) => directory.withdraw(identity.hostId, connectionId))
  await context.reporter.report()
}

/**
 * Looks after the Jobs that have a checkpoint. Those whose sockets are gone and whose time is up end: the object was
 * restarted, or a receipt never came. The others keep the credits that are held for them.
 */
export async function tendCheckpoints(context: HostContext, now: number): Promise<void> {
  const { storage, sockets, weighing, alarm } = context
  storage.forgetEnded(now - REMEMBER_ENDED_MS)
  const running = []
  for (const { job, deadline } of storage.checkpoints()) {
    const isOpen = sockets.relay(job.jobId) !== undefined
    if (isOpen) running.push(job)
    if (isOpen || weighing.has(job.jobId)) await alarm.at(now + RENEW_MS)
    else if (deadline <= now) endWithoutReceipt(job, storage)
    else await alarm.at(deadline)
  }
  await context.holds.renew(running, now)
}

function loseRelay({ socket, attachment }: Tagged<RelaySocket>, context: HostContext): void {
  if (attachment.ended) return
  const { job } = attachment
  writeAttachment(socket, { ...attachment, ended: true })
  if (job.accepted) endWithoutReceipt(job, context.storage)
  else context.storage.noteEnded(job.jobId, Date.now())
  socket.close(RelayClose.HostLost, 'host lost')
}
