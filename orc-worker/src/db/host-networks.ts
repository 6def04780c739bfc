import { and, eq, isNull, sql } from 'drizzle-orm'
import type { Database } from './client.ts'
import { hostNetworks, networks } from './network-schema.ts'
import { hosts } from './schema.ts'

/** A Network that a Host was let into. */
export interface ServedNetwork {
  readonly name: string
  readonly cidrs: readonly string[]
}

/** The Networks that a Host may serve. */
export function servedNetworks(db: Database, hostId: string): Promise<ServedNetwork[]> {
  return db
    .select({ name: networks.name, cidrs: networks.cidrs })
    .from(hostNetworks)
    .innerJoin(networks, eq(networks.name, hostNetworks.network))
    .where(
      and(eq(hostNetworks.hostId, hostId), eq(hostNetworks.status, 'active'), isNull(networks.removedAt)),
    )
}

/** A Host of this account joins, or asks to. One that is let in already stays so. Says nothing of Hosts of other accounts. */
export function joinStatement(
  db: Database,
  host: {
    readonly hostId: string
    readonly accountId: string
    readonly network: string
    readonly status: 'pending' | 'active'
  },
  now: number,
) {
  const { hostId, accountId, network, status } = host
  return db
    .insert(hostNetworks)
    .select(
      sql`select ${hostId}, ${network}, ${status}, ${now} from hosts
        where id = ${hostId} and account_id = ${accountId} and removed_at is null`,
    )
    .onConflictDoUpdate({
      target: [hostNetworks.hostId, hostNetworks.network],
      set: { status: sql`case when excluded.status = 'active' then 'active' else status end` },
    })
}

/** The Hosts of a Network, and those that ask to join it. */
export function hostsOfNetwork(
  db: Database,
  network: string,
): Promise<{ id: string; alias: string; name: string; accountId: string; status: 'pending' | 'active' }[]> {
  return db
    .select({
      id: hosts.id,
      alias: hosts.alias,
      name: hosts.name,
      accountId: hosts.accountId,
      status: hostNetworks.status,
    })
    .from(hostNetworks)
    .innerJoin(hosts, eq(hosts.id, hostNetworks.hostId))
    .where(and(eq(hostNetworks.network, network), isNull(hosts.removedAt)))
}

/** Lets a Host in that asked. False if it did not. */
export async function approveHost(db: Database, network: string, hostId: string): Promise<boolean> {
  const rows = await db
    .update(hostNetworks)
    .set({ status: 'active' })
    .where(and(eq(hostNetworks.network, network), eq(hostNetworks.hostId, hostId)))
    .returning({ hostId: hostNetworks.hostId })
  return rows.length > 0
}

/** A Host leaves a Network, or is sent away. False if it was not there. */
export async function leaveNetwork(db: Database, network: string, hostId: string): Promise<boolean> {
  const rows = await db
    .delete(hostNetworks)
    .where(and(eq(hostNetworks.network, network), eq(hostNetworks.hostId, hostId)))
    .returning({ hostId: hostNetworks.hostId })
  return rows.length > 0
}
