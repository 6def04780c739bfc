import type { ServedNetwork } from '../../db/host-networks.ts'
import { isOpenTo } from '../../domain/cidr.ts'
import { type HostSocket, writeAttachment } from './attachments.ts'
import type { HostContext } from './context.ts'
import { revokeDirect } from './direct.ts'
import { tellDirectories } from './directories.ts'
import { endHostConnection } from './lifecycle.ts'
import type { Tagged } from './sockets.ts'

/** Service Restart (RFC 6455 §7.4.1, IANA registry): the agent connects again, and what it may serve is looked at anew. */
const SERVICE_RESTART = 1012
/** A connection with running Jobs is looked at again after this long. */
const RENEWAL_CHECK_MS = 5_000

/**
 * A Host was let into Networks, or lost some. Those it lost are gone at once: no more Jobs come from them, and tokens for Direct
 * Connections end. For new ones it connects again, as soon as nothing runs.
 */
export async function changeNetworks(allowed: readonly ServedNetwork[], context: HostContext): Promise<void> {
  const now = Date.now()
  // One that is connecting at the moment, with what it might do before, shall not get in.
  context.storage.raiseRightsGeneration()
  const hosts = context.sockets.hosts()
  const [present] = hosts
  const direct = present === undefined ? allowed.map(({ name }) => name) : openTo(present, allowed)
  revokeDirect(context.direct.elsewhere(direct, now), context)
  for (const host of hosts) {
    const { socket, attachment } = host
    const { identity } = attachment
    const networks = openTo(host, allowed)
    const kept = identity.networks.filter((name) => networks.includes(name))
    const renewing = attachment.renewing || networks.some((name) => !kept.includes(name))
    writeAttachment(socket, { ...attachment, identity: { ...identity, networks: kept }, renewing })
  }
  // Told last: what a directory still says of it, the Host's object refuses by now.
  for (const host of hosts) {
    const { identity, connectionId } = host.attachment
    const networks = openTo(host, allowed)
    const lost = identity.networks.filter((name) => !networks.includes(name))
    await tellDirectories({ ...identity, networks: lost }, context, (directory) =>
      directory.withdraw(identity.hostId, connectionId),
    )
  }
  await renewIdle(context, now)
}

/** What this Host may do has changed altogether, for instance whose it is: it connects again at once. */
export async function reconnect(context: HostContext): Promise<void> {
  context.storage.raiseRightsGeneration()
  for (const host of context.sockets.hosts()) await close(host, context)
}

/** Lets Hosts connect again that should and that do nothing at the moment. */
export async function renewIdle(context: HostContext, now: number): Promise<void> {
  for (const host of context.sockets.hosts()) {
    if (!host.attachment.renewing) continue
    const running = context.sockets.relaysOf(host.attachment.connectionId)
    if (running.some(({ attachment }) => !attachment.ended)) await context.alarm.at(now + RENEWAL_CHECK_MS)
    else await close(host, context)
  }
}

/** Those of its Networks that a Host may serve from where it is, and that its owner wants served. */
function openTo({ attachment }: Tagged<HostSocket>, allowed: readonly ServedNetwork[]): string[] {
  const { identity, wanted } = attachment
  return allowed
    .filter(({ name, cidrs }) => isOpenTo(cidrs, identity.address) && (wanted?.includes(name) ?? true))
    .map(({ name }) => name)
}

async function close({ socket, attachment }: Tagged<HostSocket>, context: HostContext): Promise<void> {
  writeAttachment(socket, { ...attachment, dismissed: true })
  socket.close(SERVICE_RESTART, 'what this host may serve has changed: connect again')
  await endHostConnection(attachment, context)
}
