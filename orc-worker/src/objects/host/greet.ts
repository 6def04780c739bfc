import {
  CloseCode,
  type Hello,
  MINIMUM_PROTOCOL_VERSION,
  PROTOCOL_VERSION,
  encodeDown,
} from '@daisi/protocol'
import { readConfig } from '../../config.ts'
import { type AgentVersions, isTooOld, updateAdvice } from '../../domain/agent-versions.ts'
import { type HostIdentity, type HostSocket, readAttachment, writeAttachment } from './attachments.ts'
import type { HostContext } from './context.ts'
import { tellRevoked } from './direct.ts'
import { tellDirectories } from './directories.ts'
import { modelsFault } from './host-report.ts'
import { noteClaim } from './idle-claim.ts'
import type { Tagged } from './sockets.ts'

/** The Host's first message: its directories are told, then it is welcomed (rules H1, H2). */
export async function greet(host: Tagged<HostSocket>, hello: Hello, context: HostContext): Promise<void> {
  const { attachment, socket } = host
  if (attachment.helloSeen) return socket.close(CloseCode.BadMessage, 'hello comes once')
  const tooLarge = modelsFault(hello.models)
  if (tooLarge !== undefined) return socket.close(CloseCode.TooLarge, tooLarge)
  const identity = { ...attachment.identity, networks: servedNetworks(attachment, hello) }
  // Before anything is waited for: what changes meanwhile counts from here.
  writeAttachment(socket, {
    ...attachment,
    identity,
    helloSeen: true,
    ...(hello.networks && { wanted: hello.networks }),
  })
  const { agent } = await readConfig(context.env)
  const fault = versionFault(hello, agent)
  if (fault !== undefined) return socket.close(CloseCode.VersionTooOld, fault)
  await announce(host, identity, hello, context)
  // Dismissed while the directories were told: its successor's entries must stand.
  const now = readAttachment(socket)
  if (now?.kind !== 'host' || now.dismissed || socket.readyState !== WebSocket.OPEN) {
    return tellDirectories(identity, context, (directory) =>
      directory.withdraw(identity.hostId, attachment.connectionId),
    )
  }
  noteWords(hello, context)
  writeAttachment(socket, { ...now, greeted: true, ...(hello.direct && { direct: hello.direct }) })
  noteClaim(socket, { freeSlots: hello.slots.free, accepting: hello.accepting })
  socket.send(
    encodeDown({
      type: 'welcome',
      protocol: { version: PROTOCOL_VERSION, minimum: MINIMUM_PROTOCOL_VERSION },
      hostId: identity.hostId,
      alias: identity.alias,
      issuer: identity.issuer,
      networks: [...now.identity.networks],
      resume: [],
      agent: { ...agent },
    }),
  )
  for (const command of context.commands.waiting()) socket.send(encodeDown(command))
  tellRevoked(socket, context)
}

/** Those of its Networks that its owner wants served (rule H10). */
function servedNetworks({ identity }: HostSocket, { networks: wanted }: Hello): string[] {
  return identity.networks.filter((name) => wanted === undefined || wanted.includes(name))
}

/** Why this Host must be updated first (rules H7, H13), or undefined. */
function versionFault({ protocol, agent }: Hello, versions: AgentVersions): string | undefined {
  if (protocol.version < MINIMUM_PROTOCOL_VERSION || protocol.minimum > PROTOCOL_VERSION)
    return `this Orc speaks versions ${MINIMUM_PROTOCOL_VERSION} to ${PROTOCOL_VERSION}: update daisi-host`
  return isTooOld(agent, versions) ? updateAdvice(agent.version, versions) : undefined
}

function announce(
  { attachment }: Tagged<HostSocket>,
  identity: HostIdentity,
  hello: Hello,
  context: HostContext,
): Promise<void> {
  const presence = {
    hostId: identity.hostId,
    alias: identity.alias,
    accountId: identity.accountId,
    connectionId: attachment.connectionId,
    models: hello.models,
    states: hello.modelStates ?? [],
    freeSlots: hello.slots.free,
    accepting: hello.accepting,
    direct: hello.direct !== undefined,
    tokensPerSecond: undefined,
  }
  return tellDirectories(identity, context, (directory) => directory.announce(presence))
}

function noteWords({ agent, models, modelStates = [], accepting }: Hello, { report }: HostContext): void {
  report.note('version', agent.version)
  report.note('models', models)
  report.noteStates(modelStates)
  report.note('willingness', { accepting, reason: null })
}
