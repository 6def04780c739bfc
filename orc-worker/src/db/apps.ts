import { and, eq } from 'drizzle-orm'
import type { Database } from './client.ts'
import { apps } from './schema.ts'

/** An App as its account sees it. Times in milliseconds since the epoch. */
export interface AppRow {
  readonly id: string
  readonly name: string
  readonly createdAt: number
}

/** Makes an App of the account. Its id is fresh. */
export async function createApp(
  db: Database,
  app: { id: string; accountId: string; name: string },
  now: number,
): Promise<void> {
  await db.insert(apps).values({ ...app, createdAt: now })
}

/** False if the account has no such App. */
export async function renameApp(
  db: Database,
  appId: string,
  accountId: string,
  name: string,
): Promise<boolean> {
  const isTheirs = and(eq(apps.id, appId), eq(apps.accountId, accountId))
  return (await db.update(apps).set({ name }).where(isTheirs).returning({ id: apps.id })).length > 0
}

/** True if the App exists and belongs to the account. */
export async function ownsApp(db: Database, appId: string, accountId: string): Promise<boolean> {
  const rows = await db
    .select({ id: apps.id })
    .from(apps)
    .where(and(eq(apps.id, appId), eq(apps.accountId, accountId)))
  return rows.length > 0
}

/** Apps of an account, oldest first. */
export function appsOf(db: Database, accountId: string): Promise<AppRow[]> {
  return db
    .select({ id: apps.id, name: apps.name, createdAt: apps.createdAt })
    .from(apps)
    .where(eq(apps.accountId, accountId))
    .orderBy(apps.createdAt, apps.id)
}
