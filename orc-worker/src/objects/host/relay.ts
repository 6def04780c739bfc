import { CloseCode, INITIAL_WINDOW_BYTES, decodeDown, encodeDown } from '@daisi/protocol'
import { type HostSocket, type RelayRequest, type RelaySocket, writeAttachment } from './attachments.ts'
import type { HostContext } from './context.ts'
import { noteUntaken } from './idle-claim.ts'
import { endHostConnection } from './lifecycle.ts'
import type { Tagged } from './sockets.ts'

/** After a Consumer left, its Host has this long to send the Job's receipt; then the meter alone counts. */
const RECEIPT_DEADLINE_MS = 15_000
/** A Job that was taken back sooner was not left by its Host: more often its Consumer went away. */
const UNANSWERED_MS = 5_000

/** Gives the Worker a socket to one Job on this Host. 503 if the Host is not here, or does not serve the Job's Network (any more). */
export async function openRelay(request: RelayRequest, context: HostContext): Promise<Response> {
  const { sockets } = context
  const host = sockets.liveHost(Date.now())
  if (host === undefined) {
    await dropSilentHosts(context)
    return new Response(null, { status: 503 })
  }
  const { connectionId, identity } = host.attachment
  // Its directory may have been asked before the Host was sent away.
  if (!identity.networks.includes(request.network)) return new Response(null, { status: 503 })
  const { 0: client, 1: server } = new WebSocketPair()
  sockets.acceptRelay(server, request.jobId)
  const meter = {
    accepted: false,
    promptTokens: 0,
    cachedTokens: 0,
    sentTokens: 0,
    deliveredTokens: 0,
    textBytes: 0,
    resultCharacters: 0,
    resultHead: '',
    calls: 0,
    ended: 0,
    nextSequence: 0,
  }
  writeAttachment(server, {
    kind: 'relay',
    job: { ...request, connectionId, identity, ...meter, windowBytes: INITIAL_WINDOW_BYTES },
    ended: false,
    offeredAt: Date.now(),
  })
  return new Response(null, { status: 101, webSocket: client })
}

/** A Host that went silent may hang on a dead connection: closed, it connects and announces itself anew (rule H8). */
async function dropSilentHosts(context: HostContext): Promise<void> {
  for (const { socket, attachment } of context.sockets.hosts()) {
    if (!attachment.greeted) continue
    socket.close(CloseCode.Timeout, 'nothing was heard of this host in time')
    await endHostConnection(attachment, context)
  }
}

/** What the Worker says to the Host passes untouched; a grant also widens the window that frames are held to. */
export function handleRelayText(
  { socket, attachment }: Tagged<RelaySocket>,
  text: string,
  host: Tagged<HostSocket> | undefined,
): void {
  if (attachment.ended) return
  host?.socket.send(text)
  // Only `run` is large, and it needs no look: the Worker puts the type first.
  if (!text.startsWith('{"type":"credit"')) return
  const decoded = decodeDown(text)
  if (decoded.kind !== 'message' || decoded.message.type !== 'credit') return
  const windowBytes = attachment.job.windowBytes + decoded.message.bytes
  writeAttachment(socket, { ...attachment, job: { ...attachment.job, windowBytes } })
}

/** The Worker let go of a Job. If it was not over, its Consumer is gone: the work stops and the part is paid (rule A7). */
export async function handleRelayClose(
  { job, ended, offeredAt }: RelaySocket,
  host: Tagged<HostSocket> | undefined,
  context: HostContext,
): Promise<void> {
  const { storage, alarm } = context
  if (ended) return
  host?.socket.send(encodeDown({ type: 'cancel', jobId: job.jobId }))
  const now = Date.now()
  if (!job.accepted) {
    // The Host's word that it takes the Job may be under way, and then its end comes as well.
    storage.noteEnded(job.jobId, now)
    if (host !== undefined && now - offeredAt >= UNANSWERED_MS) await noteUntaken(host.socket, context)
    return
  }
  // Its end may have come in the moment before: that counts.
  if (storage.hasEnded(job.jobId)) return
  const deadline = now + RECEIPT_DEADLINE_MS
  storage.checkpoint(job, deadline)
  await alarm.at(deadline)
}
