import type { SpendClass } from '@daisi/protocol'
import { and, eq, isNull, lt, or, sql } from 'drizzle-orm'
import type { Database } from './client.ts'
import { networks } from './network-schema.ts'
import { apps, secretKeys } from './schema.ts'

/** A Network that a key may use, as its Sessions need it. */
export interface KeyNetwork {
  readonly name: string
  readonly kind: 'public' | 'private'
  readonly cidrs: readonly string[]
}

/** A Secret Key as its Sessions need it. */
export interface KeyRecord {
  readonly keyId: string
  readonly accountId: string
  readonly scopes: readonly string[]
  /** Those of its Networks that exist and that its account may still use. */
  readonly networks: readonly KeyNetwork[]
  readonly models: readonly string[] | null
  readonly spendOrder: readonly SpendClass[] | null
  /** Milliseconds since the epoch. */
  readonly expiresAt: number | null
}

/** The key with this hash or id, unless it is unknown or revoked. */
export async function findKey(
  db: Database,
  by: { readonly hash: string } | { readonly keyId: string },
): Promise<KeyRecord | undefined> {
  const named = 'hash' in by ? eq(secretKeys.hash, by.hash) : eq(secretKeys.id, by.keyId)
  const isThisKey = and(named, isNull(secretKeys.revokedAt))
  const [keys, usable] = await db.batch([
    db
      .select({
        keyId: secretKeys.id,
        accountId: apps.accountId,
        scopes: secretKeys.scopes,
        models: secretKeys.models,
        spendOrder: secretKeys.spendOrder,
        expiresAt: secretKeys.expiresAt,
      })
      .from(secretKeys)
      .innerJoin(apps, eq(apps.id, secretKeys.appId))
      .where(isThisKey),
    db
      .select({ name: networks.name, kind: networks.kind, cidrs: networks.cidrs })
      .from(secretKeys)
      .innerJoin(apps, eq(apps.id, secretKeys.appId))
      .innerJoin(networks, sql`${networks.name} in (select value from json_each(${secretKeys.networks}))`)
      .where(and(isThisKey, isNull(networks.removedAt), mayUse(apps.accountId))),
  ])
  const [key] = keys
  return key === undefined ? undefined : { ...key, networks: usable }
}

/** True for Networks that an account may use: the public one, its own, and those it was let into. */
export function mayUse(accountId: unknown) {
  return sql`(${networks.kind} = 'public' or ${networks.accountId} = ${accountId} or exists (
    select 1 from network_accounts guest where guest.network = ${networks.name} and guest.account_id = ${accountId}
      and guest.leaving_at is null))`
}

/** Notes that a key was used, unless that was noted less than so long ago. */
export async function touchKey(db: Database, keyId: string, now: number, everyMs: number): Promise<void> {
  const { id, lastUsedAt } = secretKeys
  await db
    .update(secretKeys)
    .set({ lastUsedAt: now })
    .where(and(eq(id, keyId), or(isNull(lastUsedAt), lt(lastUsedAt, now - everyMs + 1))))
}

/** Hashes of the keys that are not revoked: those that name a Network, of one account, or both. */
export async function keysOf(
  db: Database,
  of: { readonly network?: string; readonly accountId?: string },
): Promise<string[]> {
  const { network, accountId } = of
  const named =
    network === undefined
      ? undefined
      : sql`exists (select 1 from json_each(${secretKeys.networks}) where value = ${network})`
  const owned = accountId === undefined ? undefined : eq(apps.accountId, accountId)
  const rows = await db
    .select({ hash: secretKeys.hash })
    .from(secretKeys)
    .innerJoin(apps, eq(apps.id, secretKeys.appId))
    .where(and(isNull(secretKeys.revokedAt), named, owned))
  return rows.map(({ hash }) => hash)
}
