import { and, eq, isNull } from 'drizzle-orm'
import type { Database } from './client.ts'
import { apps, secretKeys } from './schema.ts'

/** A Secret Key as its Session needs it. */
export interface KeyRecord {
  readonly keyId: string
  readonly accountId: string
  readonly scopes: readonly string[]
  readonly networks: readonly string[]
}

export async function createApp(
  db: Database,
  app: { id: string; accountId: string; name: string },
  now: number,
): Promise<void> {
  await db.insert(apps).values({ ...app, createdAt: now })
}

/** True if the App exists and belongs to the account. */
export async function ownsApp(db: Database, appId: string, accountId: string): Promise<boolean> {
  const rows = await db
    .select({ id: apps.id })
    .from(apps)
    .where(and(eq(apps.id, appId), eq(apps.accountId, accountId)))
  return rows.length > 0
}

export async function createKey(
  db: Database,
  key: {
    id: string
    appId: string
    name: string
    hash: string
    prefix: string
    scopes: string[]
    networks: string[]
  },
  now: number,
): Promise<void> {
  await db.insert(secretKeys).values({ ...key, createdAt: now })
}

/** The key with this hash, unless it is unknown or revoked. */
export async function findKey(db: Database, hash: string): Promise<KeyRecord | undefined> {
  const [row] = await db
    .select({
      keyId: secretKeys.id,
      accountId: apps.accountId,
      scopes: secretKeys.scopes,
      networks: secretKeys.networks,
    })
    .from(secretKeys)
    .innerJoin(apps, eq(apps.id, secretKeys.appId))
    .where(and(eq(secretKeys.hash, hash), isNull(secretKeys.revokedAt)))
  return row
}

/** Revokes a key of this account and says what its Sessions are named after; undefined if there is no such key. */
export async function revokeKey(
  db: Database,
  keyId: string,
  accountId: string,
  now: number,
): Promise<{ hash: string; networks: readonly string[] } | undefined> {
  const [row] = await db
    .select({ hash: secretKeys.hash, networks: secretKeys.networks })
    .from(secretKeys)
    .innerJoin(apps, eq(apps.id, secretKeys.appId))
    .where(and(eq(secretKeys.id, keyId), eq(apps.accountId, accountId)))
  if (row === undefined) return undefined
  await db
    .update(secretKeys)
    .set({ revokedAt: now })
    .where(and(eq(secretKeys.id, keyId), isNull(secretKeys.revokedAt)))
  return row
}
