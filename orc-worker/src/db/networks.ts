import { and, eq, isNull } from 'drizzle-orm'
import type { Database } from './client.ts'
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

/** Ends a Network of this account. */
export async function removeNetwork(
  db: Database,
  { name, accountId }: { name: string; accountId: string },
  now: number,
): Promise<void> {
  await db.update(networks).set({ removedAt: now }).where(ownedBy(name, accountId))
}

/** Other accounts that may use a Network. */
export function guestsOf(db: Database, network: string): Promise<{ id: string; name: string }[]> {
  return db
    .select({ id: accounts.id, name: accounts.name })
    .from(networkAccounts)
    .innerJoin(accounts, eq(accounts.id, networkAccounts.accountId))
    .where(eq(networkAccounts.network, network))
}

/** Takes a Network from an account that was a guest of it. False if it was none. */
export async function removeGuest(db: Database, network: string, accountId: string): Promise<boolean> {
  const rows = await db
    .delete(networkAccounts)
    .where(and(eq(networkAccounts.network, network), eq(networkAccounts.accountId, accountId)))
    .returning({ accountId: networkAccounts.accountId })
  return rows.length > 0
}

function ownedBy(name: string, accountId: string) {
  return and(eq(networks.name, name), eq(networks.accountId, accountId), isNull(networks.removedAt))
}
