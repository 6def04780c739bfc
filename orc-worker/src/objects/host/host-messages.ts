import {
  CloseCode,
  type Hello,
  MINIMUM_PROTOCOL_VERSION,
  PROTOCOL_VERSION,
  type Status,
  decodeUp,
  encodeDown,
} from '@daisi/protocol'
import { assertNever } from '../../domain/assert-never.ts'
import { noteDirectReport, tellRevoked } from './direct.ts'
import { tellDirectories } from './directories.ts'
import { type HostSocket, readAttachment, writeAttachment } from './attachments.ts'
import type { HostContext } from './context.ts'
import { noteClaim } from './idle-claim.ts'
import { acceptJob, endJob, refuseJob } from './job-messages.ts'
import type { Tagged } from './sockets.ts'

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
      return updatePresence(host, message, context)
    case 'accepted':
      return acceptJob(host, message, text, context)
    case 'refused':
      return refuseJob(host, message, text, context)
    case 'job-end':
      return endJob(host, message, context)
    case 'direct-report':
      return noteDirectReport(host, message, context)
    case 'ack':
      return context.storage.acknowledgeCommand(message.commandId)
    default:
      return assertNever(message)
  }
}

async function greet(host: Tagged<HostSocket>, hello: Hello, context: HostContext): Promise<void> {
  const { identity, connectionId } = host.attachment
  if (hello.protocol.version < MINIMUM_PROTOCOL_VERSION || hello.protocol.minimum > PROTOCOL_VERSION) {
    const text = `this Orc speaks versions ${MINIMUM_PROTOCOL_VERSION} to ${PROTOCOL_VERSION}: update daisi-host`
    return host.socket.close(CloseCode.VersionTooOld, text)
  }
  const presence = {
    hostId: identity.hostId,
    alias: identity.alias,
    accountId: identity.accountId,
    connectionId,
    models: hello.models,
    freeSlots: hello.slots.free,
    accepting: hello.accepting,
    direct: hello.direct !== undefined,
    tokensPerSecond: undefined,
  }
  await tellDirectories(identity, context, (directory) => directory.announce(presence))
  // Dismissed while the directory was told: its successor's entry must stand.
  const now = readAttachment(host.socket)
  if (now?.kind !== 'host' || now.dismissed || host.socket.readyState !== WebSocket.OPEN) {
    return tellDirectories(identity, context, (directory) =>
      directory.withdraw(identity.hostId, connectionId),
    )
  }
  writeAttachment(host.socket, { ...now, greeted: true, ...(hello.direct && { direct: hello.direct }) })
  noteClaim(host.socket, { freeSlots: hello.slots.free, accepting: hello.accepting })
  host.socket.send(
    encodeDown({
      type: 'welcome',
      protocol: { version: PROTOCOL_VERSION, minimum: MINIMUM_PROTOCOL_VERSION },
      hostId: identity.hostId,
      alias: identity.alias,
      issuer: identity.issuer,
      networks: [...identity.networks],
      resume: [],
    }),
  )
  for (const command of context.storage.queuedCommands()) host.socket.send(encodeDown(command))
  tellRevoked(host.socket, context)
}

async function updatePresence(
  { socket, attachment }: Tagged<HostSocket>,
  status: Status,
  context: HostContext,
): Promise<void> {
  const { identity, connectionId } = attachment
  noteClaim(socket, status)
  const { freeSlots, accepting, tokensPerSecond } = status
  await tellDirectories(identity, context, (directory) =>
    directory.update(identity.hostId, connectionId, { freeSlots, accepting, tokensPerSecond }),
  )
}

// A close reason may have 123 bytes (RFC 6455 §5.5).
function reason(text: string): string {
  return text.slice(0, 120)
}
