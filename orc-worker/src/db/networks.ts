import { and, eq, isNotNull, isNull, sql } from 'drizzle-orm'
import type { Database } from './client.ts'
import { departureOfAccount } from './host-networks.ts'
import { mayUse } from './key-access.ts'
import { networkAccounts, networks } from './network-schema.ts'
import { accounts } from './schema.ts'

/** A Network as one account sees it. */
export interface UsableNetwork {
  readonly name: string
  readonly kind: 'public' | 'private'
  readonly owned: boolean
  readonly cidrs: readonly string[]
}

/** Networks that an account may use. */
export async function usableNetworks(db: Database, accountId: string): Promise<UsableNetwork[]> {
  const rows = await db
    .select({
      name: networks.name,
      kind: networks.kind,
      owner: networks.accountId,
      cidrs: networks.cidrs,
    })
    .from(networks)
    .where(and(isNull(networks.removedAt), mayUse(accountId)))
    .orderBy(networks.name)
  return rows.map(({ owner, ...row }) => ({ ...row, owned: owner === accountId }))
}

/** One of them, or undefined: a Network that an account may not use is as one that does not exist. */
export async function findUsable(
  db: Database,
  accountId: string,
  name: string,
): Promise<UsableNetwork | undefined> {
  return (await usableNetworks(db, accountId)).find((network) => network.name === name)
}

/**
 * How a Host of this account stands on a Network once it joins: `active` on the public one and on the account's own, `pending` until
 * the owner approves on one that it is a guest of, undefined where it cannot join.
 */
export async function standingOn(
  db: Database,
  accountId: string,
  name: string,
): Promise<'active' | 'pending' | undefined> {
  const network = await findUsable(db, accountId, name)
  if (network === undefined) return undefined
  return network.owned || network.kind === 'public' ? 'active' : 'pending'
}

/** Makes a private Network. False if the name is or was taken. */
export async function createNetwork(
  db: Database,
  network: { readonly name: string; readonly accountId: string; readonly cidrs: readonly string[] },
  now: number,
): Promise<boolean> {
  const row = { ...network, cidrs: [...network.cidrs], kind: 'private' as const, createdAt: now }
  const rows = await db.insert(networks).values(row).onConflictDoNothing().returning({ name: networks.name })
  return rows.length > 0
}

/** Changes from where a Network of this account may be used. */
export async function setCidrs(
  db: Database,
  { name, accountId, cidrs }: { name: string; accountId: string; cidrs: readonly string[] },
): Promise<void> {
  await db
    .update(networks)
    .set({ cidrs: [...cidrs] })
    .where(ownedBy(name, accountId))
}

/** Ends a Network of this account, for good. False if it has and had none such. */
export async function removeNetwork(
  db: Database,
  { name, accountId }: { name: string; accountId: string },
  now: number,
): Promise<boolean> {
  const rows = await db
    .update(networks)
    .set({ removedAt: sql`coalesce(${networks.removedAt}, ${now})` })
    .where(and(eq(networks.name, name), eq(networks.accountId, accountId)))
    .returning({ name: networks.name })
  return rows.length > 0
}

/** Other accounts that may use a Network. */
export function guestsOf(db: Database, network: string): Promise<{ id: string; name: string }[]> {
  return db
    .select({ id: accounts.id, name: accounts.name })
    .from(networkAccounts)
    .innerJoin(accounts, eq(accounts.id, networkAccounts.accountId))
    .where(and(eq(networkAccounts.network, network), isNull(networkAccounts.leavingAt)))
}

/**
 * Takes a Network from an account that is a guest of it, and from its Hosts. False if it is none. All of it may be repeated until
 * `forgetGuest`.
 */
export async function sendGuestAway(
  db: Database,
  network: string,
  accountId: string,
  now: number,
): Promise<boolean> {
  const [rows] = await db.batch([
    db
      .update(networkAccounts)
      .set({ leavingAt: now })
      .where(isGuest(network, accountId))
      .returning({ accountId: networkAccounts.accountId }),
    departureOfAccount(db, network, accountId),
  ])
  return rows.length > 0
}

/** Everybody was told that a guest was sent away. */
export async function forgetGuest(db: Database, network: string, accountId: string): Promise<void> {
  await db
    .delete(networkAccounts)
    .where(and(isGuest(network, accountId), isNotNull(networkAccounts.leavingAt)))
}

function isGuest(network: string, accountId: string) {
  return and(eq(networkAccounts.network, network), eq(networkAccounts.accountId, accountId))
}

function ownedBy(name: string, accountId: string) {
  return and(eq(networks.name, name), eq(networks.accountId, accountId), isNull(networks.removedAt))
}
