import type { BudgetPeriod, SpendClass } from '@daisi/protocol'
import { type SQL, and, eq, inArray, isNull, sql } from 'drizzle-orm'
import type { Database } from './client.ts'
import { type KeyBudget, budgetColumns, budgetOf } from './key-budget.ts'
import { apps, secretKeys } from './schema.ts'

/** What a key may do, as its owner sets it. */
export interface KeyRights {
  readonly name: string
  readonly scopes: string[]
  readonly networks: string[]
  readonly models: string[] | null
  readonly spendOrder: SpendClass[] | null
  readonly budget: number | null
  readonly budgetPeriod: BudgetPeriod | null
  /** Milliseconds since the epoch. */
  readonly expiresAt: number | null
}

/** What identifies a key and what is shown of it; its hash is all that is kept of its secret. */
export interface KeySecret {
  readonly id: string
  readonly hash: string
  readonly prefix: string
}

/** A key as its account sees it. Times in milliseconds since the epoch. */
export interface KeyRow extends Omit<KeyRights, 'budget' | 'budgetPeriod'> {
  readonly id: string
  readonly appId: string
  readonly prefix: string
  readonly budget: KeyBudget | undefined
  readonly createdAt: number
  readonly lastUsedAt: number | null
  readonly revokedAt: number | null
  readonly replacedBy: string | null
}

/** A key, and the account that it has to belong to. */
export interface KeyOfAccount {
  readonly id: string
  readonly accountId: string
}

/** Keys of an account, oldest first; or the one with this id. */
export async function keysOfApps(
  db: Database,
  accountId: string,
  keyId: string | undefined,
  now: number,
): Promise<KeyRow[]> {
  const rows = await db
    .select({
      id: secretKeys.id,
      appId: secretKeys.appId,
      name: secretKeys.name,
      prefix: secretKeys.prefix,
      scopes: secretKeys.scopes,
      networks: secretKeys.networks,
      models: secretKeys.models,
      spendOrder: secretKeys.spendOrder,
      budget: secretKeys.budget,
      period: secretKeys.budgetPeriod,
      createdAt: secretKeys.createdAt,
      expiresAt: secretKeys.expiresAt,
      lastUsedAt: secretKeys.lastUsedAt,
      revokedAt: secretKeys.revokedAt,
      replacedBy: secretKeys.replacedBy,
      ...budgetColumns(now),
    })
    .from(secretKeys)
    .innerJoin(apps, eq(apps.id, secretKeys.appId))
    .where(and(eq(apps.accountId, accountId), keyId === undefined ? undefined : eq(secretKeys.id, keyId)))
    .orderBy(secretKeys.createdAt, secretKeys.id)
  return rows.map(({ spent, held, period, ...row }) => ({
    ...row,
    budget: budgetOf({ budget: row.budget, period, spent, held }, now),
  }))
}

/** The caller has seen that the App is the account’s (`ownsApp`); an App never changes hands. */
export async function createKey(
  db: Database,
  key: KeyRights & KeySecret & { readonly appId: string },
  now: number,
): Promise<void> {
  await db.insert(secretKeys).values({ ...key, createdAt: now })
}

/**
 * Changes a key of this account that is neither revoked nor replaced. Answers its hash, which its Sessions are named after; undefined if
 * there is no such key.
 */
export async function changeKey(
  db: Database,
  key: KeyOfAccount,
  change: Partial<KeyRights>,
): Promise<string | undefined> {
  const [row] = await db
    .update(secretKeys)
    .set(change)
    .where(and(isTheirs(db, key), isNull(secretKeys.revokedAt), isNull(secretKeys.replacedBy)))
    .returning({ hash: secretKeys.hash })
  return row?.hash
}

/** Revokes a key of this account and answers its hash; undefined if there is no such key. May be repeated. */
export async function revokeKey(db: Database, key: KeyOfAccount, now: number): Promise<string | undefined> {
  const [row] = await db
    .update(secretKeys)
    .set({ revokedAt: sql`coalesce(${secretKeys.revokedAt}, ${now})` })
    .where(isTheirs(db, key))
    .returning({ hash: secretKeys.hash })
  return row?.hash
}

/**
 * Gives the rights of a key of this account to a new one. The old one is revoked at once, or ends when the overlap does. Answers
 * the hash of the old one; undefined if there is no such key, or it is revoked, replaced or expired already.
 */
export async function rotateKey(
  db: Database,
  key: KeyOfAccount,
  successor: KeySecret,
  overlapMs: number,
  now: number,
): Promise<string | undefined> {
  const isGood = sql`${isTheirs(db, key)} and ${secretKeys.revokedAt} is null and ${secretKeys.replacedBy} is null
    and (${secretKeys.expiresAt} is null or ${secretKeys.expiresAt} > ${now})`
  const { id, hash, prefix } = successor
  const end = now + overlapMs
  const [, replaced] = await db.batch([
    // Columns stand in the order of the schema.
    db.insert(secretKeys).select(
      sql`select ${id}, app_id, name, ${hash}, ${prefix}, scopes, networks, models, spend_order, budget, budget_period,
        ${now}, expires_at, null, null, null from secret_keys where ${isGood}`,
    ),
    db
      .update(secretKeys)
      .set({
        replacedBy: id,
        ...(overlapMs === 0
          ? { revokedAt: now }
          : { expiresAt: sql`min(coalesce(${secretKeys.expiresAt}, ${end}), ${end})` }),
      })
      .where(isGood)
      .returning({ hash: secretKeys.hash }),
  ])
  return replaced[0]?.hash
}

/** In the statement itself, so that no caller can reach the key of another account. */
function isTheirs(db: Database, { id, accountId }: KeyOfAccount): SQL | undefined {
  const theirApps = db.select({ id: apps.id }).from(apps).where(eq(apps.accountId, accountId))
  return and(eq(secretKeys.id, id), inArray(secretKeys.appId, theirApps))
}
