import {
  type Accepted,
  CloseCode,
  type Hello,
  type JobEnd,
  MINIMUM_PROTOCOL_VERSION,
  PROTOCOL_VERSION,
  type Status,
  decodeUp,
  encodeDown,
  readFrameHeader,
} from '@daisi/protocol'
import { assertNever } from '../../domain/assert-never.ts'
import { logEvent } from '../../log.ts'
import { directoryStub } from '../stubs.ts'
import { type HostSocket, writeAttachment } from './attachments.ts'
import type { HostContext } from './context.ts'
import { endWithReceipt } from './settlement.ts'
import type { Tagged } from './sockets.ts'

/** The first checkpoint waits this long, so that short answers end without one and no first token waits for the disk. */
const FIRST_CHECKPOINT_AFTER_MS = 50
/** Tokens between two checkpoints of a meter. */
const CHECKPOINT_TOKENS = 256
/** A checkpoint whose sockets are gone counts after this long. */
const CHECKPOINT_DEADLINE_MS = 30_000

/** One control message of the Host. */
export async function handleHostText(
  host: Tagged<HostSocket>,
  text: string,
  context: HostContext,
): Promise<void> {
  const decoded = decodeUp(text)
  if (decoded.kind === 'unknown') return
  if (decoded.kind === 'too-large') return host.socket.close(CloseCode.TooLarge, 'message too large')
  if (decoded.kind === 'malformed') return host.socket.close(CloseCode.BadMessage, reason(decoded.reason))
  const { message } = decoded
  if (!host.attachment.greeted && message.type !== 'hello')
    return host.socket.close(CloseCode.BadMessage, 'hello comes first')
  switch (message.type) {
    case 'hello':
      return greet(host, message, context)
    case 'status':
      return updateDirectory(host.attachment, message, context)
    case 'accepted':
      return noteAccepted(host.attachment, message, text, context)
    case 'refused': {
      const relay = ownRelay(host.attachment, message.jobId, context)
      if (relay === undefined) return
      writeAttachment(relay.socket, { ...relay.attachment, ended: true })
      return relay.socket.send(text)
    }
    case 'job-end':
      return endJob(host.attachment, message, text, context)
    case 'ack':
      return context.storage.acknowledgeCommand(message.commandId)
    default:
      return assertNever(message)
  }
}

/** One frame: handed on untouched, then metered. Frames of forgotten Jobs are dropped (rule J7). */
export function handleFrame(host: Tagged<HostSocket>, bytes: ArrayBuffer, context: HostContext): void {
  const header = readFrameHeader(bytes)
  if (header === undefined || !host.attachment.greeted)
    return host.socket.close(CloseCode.BadMessage, 'malformed frame')
  const relay = ownRelay(host.attachment, header.jobId, context)
  if (relay === undefined) return
  const { socket, attachment } = relay
  const { job } = attachment
  if (header.sequence !== job.nextSequence)
    return host.socket.close(CloseCode.BadMessage, 'frame out of sequence')
  if (!job.accepted) return host.socket.close(CloseCode.BadMessage, 'frame before accepted')
  // A Host may send while its window is above zero; one that goes on would fill the Worker's memory.
  if (job.windowBytes <= 0) return host.socket.close(CloseCode.BadMessage, 'frame beyond the window')
  socket.send(bytes)
  const deliveredTokens = job.deliveredTokens + header.tokenCount
  const windowBytes = job.windowBytes - bytes.byteLength
  const metered = { ...job, deliveredTokens, windowBytes, nextSequence: header.sequence + 1 }
  writeAttachment(socket, { ...attachment, job: metered })
  if (header.sequence === 0) setTimeout(() => checkpoint(job.jobId, context), FIRST_CHECKPOINT_AFTER_MS)
  const step = (tokens: number): number => Math.floor(tokens / CHECKPOINT_TOKENS)
  if (step(deliveredTokens) > step(job.deliveredTokens)) checkpoint(job.jobId, context)
}

/** Notes how far a running Job has come, and sees to it that somebody looks after it if nothing else is heard. */
function checkpoint(jobId: string, { sockets, storage, alarm }: HostContext): void {
  const relay = sockets.relay(jobId)
  if (relay === undefined || relay.attachment.ended) return
  const deadline = Date.now() + CHECKPOINT_DEADLINE_MS
  storage.checkpoint(relay.attachment.job, deadline)
  alarm.at(deadline).catch((error: unknown) => logEvent('alarm_failed', { error }))
}

async function greet(host: Tagged<HostSocket>, hello: Hello, context: HostContext): Promise<void> {
  const { identity, connectionId } = host.attachment
  if (hello.protocol.version < MINIMUM_PROTOCOL_VERSION || hello.protocol.minimum > PROTOCOL_VERSION) {
    const text = `this Orc speaks versions ${MINIMUM_PROTOCOL_VERSION} to ${PROTOCOL_VERSION}: update daisi-host`
    return host.socket.close(CloseCode.VersionTooOld, text)
  }
  await directoryStub(context.env, identity.network).announce({
    hostId: identity.hostId,
    alias: identity.alias,
    connectionId,
    models: hello.models,
    freeSlots: hello.slots.free,
    accepting: hello.accepting,
    tokensPerSecond: undefined,
  })
  writeAttachment(host.socket, { ...host.attachment, greeted: true })
  host.socket.send(
    encodeDown({
      type: 'welcome',
      protocol: { version: PROTOCOL_VERSION, minimum: MINIMUM_PROTOCOL_VERSION },
      hostId: identity.hostId,
      alias: identity.alias,
      issuer: identity.issuer,
      networks: [identity.network],
      resume: [],
    }),
  )
  for (const command of context.storage.queuedCommands()) host.socket.send(encodeDown(command))
}

async function updateDirectory(
  { identity, connectionId }: HostSocket,
  status: Status,
  context: HostContext,
): Promise<void> {
  await directoryStub(context.env, identity.network).update(identity.hostId, connectionId, {
    freeSlots: status.freeSlots,
    accepting: status.accepting,
    tokensPerSecond: status.tokensPerSecond,
  })
}

function noteAccepted(host: HostSocket, message: Accepted, text: string, context: HostContext): void {
  const relay = ownRelay(host, message.jobId, context)
  if (relay === undefined) return
  const job = {
    ...relay.attachment.job,
    accepted: true,
    promptTokens: message.promptTokens,
    cachedTokens: message.cachedTokens,
  }
  writeAttachment(relay.socket, { ...relay.attachment, job })
  relay.socket.send(text)
}

async function endJob(host: HostSocket, message: JobEnd, text: string, context: HostContext): Promise<void> {
  const relay = ownRelay(host, message.jobId, context)
  const checkpoint = relay === undefined ? context.storage.checkpointOf(message.jobId) : undefined
  const job = relay?.attachment.job ?? checkpoint
  if (job === undefined || job.identity.hostId !== host.identity.hostId) return
  if (relay !== undefined) writeAttachment(relay.socket, { ...relay.attachment, ended: true })
  await endWithReceipt(job, message.receipt, context.storage)
  // Reported before the Consumer hears of the end, so that whoever then asks for usage sees this Job in it (rule S3).
  await context.reporter.report()
  relay?.socket.send(text)
}

/** The relay of a Job that runs through this very connection and is not over. */
function ownRelay(
  host: HostSocket,
  jobId: string,
  { sockets }: HostContext,
): ReturnType<HostContext['sockets']['relay']> {
  const relay = sockets.relay(jobId)
  const own =
    relay !== undefined && !relay.attachment.ended && relay.attachment.job.connectionId === host.connectionId
  return own ? relay : undefined
}

// A close reason may have 123 bytes (RFC 6455 §5.5).
function reason(text: string): string {
  return text.slice(0, 120)
}
