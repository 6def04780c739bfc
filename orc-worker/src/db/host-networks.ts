import { type SQL, and, eq, isNull, ne, sql } from 'drizzle-orm'
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
  condition: SQL = sql`true`,
) {
  const { hostId, accountId, network, status } = host
  return db
    .insert(hostNetworks)
    .select(
      sql`select ${hostId}, ${network}, ${status}, ${now} from hosts
        where id = ${hostId} and account_id = ${accountId} and removed_at is null and ${condition}`,
    )
    .onConflictDoUpdate({
      target: [hostNetworks.hostId, hostNetworks.network],
      set: {
        status: sql`case when excluded.status = 'active' or status = 'leaving' then excluded.status else status end`,
      },
    })
}

/** A Host that serves a Network, or asks to. */
export interface NetworkHost {
  readonly id: string
  readonly alias: string
  readonly name: string
  readonly status: 'pending' | 'active'
}

/** The Hosts of a Network, and those that ask to join it. */
export async function hostsOfNetwork(db: Database, network: string): Promise<NetworkHost[]> {
  const rows = await db
    .select({ id: hosts.id, alias: hosts.alias, name: hosts.name, status: hostNetworks.status })
    .from(hostNetworks)
    .innerJoin(hosts, eq(hosts.id, hostNetworks.hostId))
    .where(and(eq(hostNetworks.network, network), isNull(hosts.removedAt), isStaying()))
  return rows.flatMap(({ status, ...host }) => (status === 'leaving' ? [] : [{ ...host, status }]))
}

/** Ids of all Hosts, or those of one account, whose objects may serve a Network: those that are on their way out among them. */
export async function hostsToTell(db: Database, network: string, accountId?: string): Promise<string[]> {
  const rows = await db
    .select({ id: hosts.id })
    .from(hostNetworks)
    .innerJoin(hosts, eq(hosts.id, hostNetworks.hostId))
    .where(
      and(
        eq(hostNetworks.network, network),
        accountId === undefined ? undefined : eq(hosts.accountId, accountId),
      ),
    )
  return rows.map(({ id }) => id)
}

/** Lets a Host in that asked. False if it did not. */
export async function approveHost(db: Database, network: string, hostId: string): Promise<boolean> {
  const rows = await db
    .update(hostNetworks)
    .set({ status: 'active' })
    .where(and(isOn(network, hostId), isStaying()))
    .returning({ hostId: hostNetworks.hostId })
  return rows.length > 0
}

/** A Host leaves a Network, or is sent away. False if it is not there. May be repeated until `forgetHosts`. */
export async function leaveNetwork(db: Database, network: string, hostId: string): Promise<boolean> {
  const rows = await db
    .update(hostNetworks)
    .set({ status: 'leaving' })
    .where(isOn(network, hostId))
    .returning({ hostId: hostNetworks.hostId })
  return rows.length > 0
}

/** All Hosts of an account leave a Network. */
export function departureOfAccount(db: Database, network: string, accountId: string) {
  return db
    .update(hostNetworks)
    .set({ status: 'leaving' })
    .where(
      and(
        eq(hostNetworks.network, network),
        sql`${hostNetworks.hostId} in (select id from hosts where account_id = ${accountId})`,
      ),
    )
}

/** These Hosts were told that they left a Network. One that has joined anew stays. */
export async function forgetHosts(db: Database, network: string, hostIds: readonly string[]): Promise<void> {
  await db
    .delete(hostNetworks)
    .where(
      and(
        eq(hostNetworks.network, network),
        eq(hostNetworks.status, 'leaving'),
        sql`${hostNetworks.hostId} in (select value from json_each(${JSON.stringify(hostIds)}))`,
      ),
    )
}

function isOn(network: string, hostId: string) {
  return and(eq(hostNetworks.network, network), eq(hostNetworks.hostId, hostId))
}

function isStaying() {
  return ne(hostNetworks.status, 'leaving')
}
