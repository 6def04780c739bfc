import { CloseCode, INITIAL_WINDOW_BYTES, decodeDown, encodeDown } from '@daisi/protocol'
import { type RelayRequest, type RelaySocket, writeAttachment } from './attachments.ts'
import type { HostContext } from './context.ts'
import { endHostConnection } from './lifecycle.ts'
import type { Tagged } from './sockets.ts'

/** After a Consumer left, its Host has this long to send the Job's receipt; then the meter alone counts. */
const RECEIPT_DEADLINE_MS = 15_000

/** Gives the Worker a socket to one Job on this Host. 503 if the Host is not here. */
export async function openRelay(request: RelayRequest, context: HostContext): Promise<Response> {
  const { sockets } = context
  const host = sockets.liveHost(Date.now())
  if (host === undefined) {
    await dropSilentHosts(context)
    return new Response(null, { status: 503 })
  }
  const { 0: client, 1: server } = new WebSocketPair()
  sockets.acceptRelay(server, request.jobId)
  const { connectionId, identity } = host.attachment
  const meter = {
    accepted: false,
    promptTokens: 0,
    cachedTokens: 0,
    sentTokens: 0,
    deliveredTokens: 0,
    nextSequence: 0,
  }
  writeAttachment(server, {
    kind: 'relay',
    job: { ...request, connectionId, identity, ...meter, windowBytes: INITIAL_WINDOW_BYTES },
    ended: false,
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
  host: WebSocket | undefined,
): void {
  if (attachment.ended) return
  host?.send(text)
  // Only `run` is large, and it needs no look: the Worker puts the type first.
  if (!text.startsWith('{"type":"credit"')) return
  const decoded = decodeDown(text)
  if (decoded.kind !== 'message' || decoded.message.type !== 'credit') return
  const windowBytes = attachment.job.windowBytes + decoded.message.bytes
  writeAttachment(socket, { ...attachment, job: { ...attachment.job, windowBytes } })
}

/** The Worker let go of a Job. If it was not over, its Consumer is gone: the work stops and the part is paid (rule A7). */
export async function handleRelayClose(
  { job, ended }: RelaySocket,
  host: WebSocket | undefined,
  { storage, alarm }: HostContext,
): Promise<void> {
  if (ended) return
  host?.send(encodeDown({ type: 'cancel', jobId: job.jobId }))
  if (!job.accepted) return
  const deadline = Date.now() + RECEIPT_DEADLINE_MS
  storage.checkpoint(job, deadline)
  await alarm.at(deadline)
}
