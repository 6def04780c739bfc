import type { RefusalCode } from '@daisi/protocol'
import { idleClaim } from '../../domain/anomalies/host-sightings.ts'
import { type HostSocket, readAttachment, writeAttachment } from './attachments.ts'
import type { HostContext } from './context.ts'
import type { Tagged } from './sockets.ts'

// A Host that says it has room and takes no Job costs Consumers time. The count lives in the attachment of its socket: it
// is not worth a write to storage, and a new connection starts afresh.

/** Refusals that are about the Host, not about the Job. Whose owner declines ten prompts of strangers in a row takes none. */
const LEAVES_JOB: ReadonlySet<RefusalCode> = new Set([
  'busy',
  'draining',
  'model_not_loaded',
  'engine_failed',
  'declined',
  'unsupported_kind',
])

/**
 * True if a refusal is about the Host, not about the Job. A model may be on its way, but not where the Host says that all of its
 * models are loaded: it is asked before others for that.
 */
export function leavesJob(code: RefusalCode, { report }: Pick<HostContext, 'report'>): boolean {
  return LEAVES_JOB.has(code) || (code === 'model_loading' && report.isAllLoaded)
}

/** The Host says how much it can take. */
export function noteClaim(
  socket: WebSocket,
  claim: { readonly freeSlots: number; readonly accepting: boolean },
): void {
  const attachment = readAttachment(socket)
  if (attachment?.kind !== 'host') return
  const claimedSlots = claim.accepting ? claim.freeSlots : 0
  writeAttachment(socket, { ...attachment, claimedSlots })
}

/** The Host took a Job. Its word on free slots is older than that, so one of them is gone. */
export function noteTaken({ socket, attachment }: Tagged<HostSocket>): void {
  const claimedSlots = Math.max(0, attachment.claimedSlots - 1)
  writeAttachment(socket, { ...attachment, claimedSlots, untaken: 0 })
}

/** The Host left a Job that it was offered. */
export async function noteUntaken(socket: WebSocket, { outbox, sockets }: HostContext): Promise<void> {
  const attachment = readAttachment(socket)
  if (attachment?.kind !== 'host') return
  // What it was offered and has not answered will take its slots first.
  const offered = sockets.relaysOf(attachment.connectionId).filter((relay) => {
    return !relay.attachment.ended && !relay.attachment.job.accepted
  })
  if (attachment.claimedSlots <= offered.length) return
  const untaken = attachment.untaken + 1
  writeAttachment(socket, { ...attachment, untaken })
  const { hostId } = attachment.identity
  await outbox.note(idleClaim({ hostId, untaken, freeSlots: attachment.claimedSlots }, Date.now()))
}
