import {
  type Accepted,
  CloseCode,
  type Frame,
  type Hello,
  type JobEnd,
  MINIMUM_PROTOCOL_VERSION,
  PROTOCOL_VERSION,
  type Status,
  decodeFrame,
  decodeUp,
  encodeDown,
  encodeUp,
} from '@daisi/protocol'
import { assertNever } from '../../domain/assert-never.ts'
import { billableTokens } from '../../domain/price.ts'
import { within } from '../../domain/within.ts'
import { directoryStub } from '../stubs.ts'
import { type HostSocket, type MeteredJob, readAttachment, writeAttachment } from './attachments.ts'
import type { HostContext } from './context.ts'
import { endWithReceipt } from './settlement.ts'
import type { Tagged } from './sockets.ts'

/** Characters of the longest token that a vocabulary may have. Known ones stay below 300. */
const MAX_TOKEN_CHARACTERS = 1_024
/** Longest that the end of an answer waits for its report. */
const REPORT_WAIT_MS = 1_000
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
      return noteAccepted(host, message, text, context)
    case 'refused': {
      const relay = ownRelay(host.attachment, message.jobId, context)
      if (relay === undefined) return
      if (relay.attachment.job.accepted)
        return host.socket.close(CloseCode.BadMessage, 'refused after accepted')
      writeAttachment(relay.socket, { ...relay.attachment, ended: true })
      return relay.socket.send(text)
    }
    case 'job-end':
      return endJob(host, message, context)
    case 'ack':
      return context.storage.acknowledgeCommand(message.commandId)
    default:
      return assertNever(message)
  }
}

/** One frame: handed on untouched, then metered. Frames of forgotten Jobs are dropped (rule J7). */
export function handleFrame(
  host: Tagged<HostSocket>,
  bytes: ArrayBuffer,
  context: HostContext,
): Promise<void> | void {
  const frame = decodeFrame(bytes)
  if (frame === undefined || !host.attachment.greeted)
    return host.socket.close(CloseCode.BadMessage, 'malformed frame')
  const relay = ownRelay(host.attachment, frame.jobId, context)
  if (relay === undefined) return
  const { socket, attachment } = relay
  const { job } = attachment
  const fault = frameFault(frame, job)
  if (fault !== undefined) return host.socket.close(CloseCode.BadMessage, fault)
  socket.send(bytes)
  const metered = {
    ...job,
    sentTokens: job.sentTokens + frame.tokenIds.length,
    deliveredTokens: job.deliveredTokens + billableTokens(frame),
    nextSequence: frame.sequence + 1,
    windowBytes: job.windowBytes - bytes.byteLength,
  }
  writeAttachment(socket, { ...attachment, job: metered })
  // After the frame has left: no token waits for the disk.
  const step = (tokens: number): number => Math.floor(tokens / CHECKPOINT_TOKENS)
  if (frame.sequence > 0 && step(metered.sentTokens) === step(job.sentTokens)) return
  const deadline = Date.now() + CHECKPOINT_DEADLINE_MS
  context.storage.checkpoint(metered, deadline)
  return context.alarm.at(deadline)
}

/** What is wrong with a frame of a Job, or undefined. Honest Hosts send none of these. */
function frameFault(frame: Frame, job: MeteredJob): string | undefined {
  if (!job.accepted) return 'frame before accepted'
  if (frame.sequence !== job.nextSequence) return 'frame out of sequence'
  // A Host may send while its window is above zero; one that goes on would fill the Worker's memory.
  if (job.windowBytes <= 0) return 'frame beyond the window'
  if (frame.tokenIds.length === 0) return 'frame without tokens'
  if (job.sentTokens + frame.tokenIds.length > job.maxTokens) return 'more tokens than were asked for'
  if (frame.text.length > frame.tokenIds.length * MAX_TOKEN_CHARACTERS)
    return 'more text than its tokens can have'
  return undefined
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
  // Dismissed while the directory was told: its successor's entry must stand.
  const now = readAttachment(host.socket)
  if (now?.kind !== 'host' || now.dismissed || host.socket.readyState !== WebSocket.OPEN) {
    return directoryStub(context.env, identity.network).withdraw(identity.hostId, connectionId)
  }
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

function noteAccepted(host: Tagged<HostSocket>, message: Accepted, text: string, context: HostContext): void {
  const relay = ownRelay(host.attachment, message.jobId, context)
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
}

async function endJob(
  { socket, attachment: host }: Tagged<HostSocket>,
  message: JobEnd,
  context: HostContext,
): Promise<void> {
  const relay = ownRelay(host, message.jobId, context)
  const checkpoint = relay === undefined ? context.storage.checkpointOf(message.jobId) : undefined
  const job = relay?.attachment.job ?? checkpoint
  if (job === undefined || job.identity.hostId !== host.identity.hostId) return
  // An end without a beginning would free the hold while the Worker gives the Job to another Host.
  if (!job.accepted) return socket.close(CloseCode.BadMessage, 'job-end before accepted')
  if (relay !== undefined) writeAttachment(relay.socket, { ...relay.attachment, ended: true })
  const usage = await endWithReceipt(job, message.receipt, context.storage)
  // Reported before the Consumer hears of the end, so that whoever then asks for usage sees this Job in it (rule S3). A
  // Session that is slow to take a report delays nobody for long.
  await within(context.reporter.report(), REPORT_WAIT_MS)
  // What the Consumer is shown is what is charged, not what the Host says.
  relay?.socket.send(encodeUp({ ...message, usage }))
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
