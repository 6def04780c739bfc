import { and, asc, count, eq } from 'drizzle-orm'
import type { Database } from './client.ts'
import { failedOn } from './client.ts'
import { passkeys } from './identity-schema.ts'

/** A passkey as it is kept: public halves only. */
export interface Passkey {
  /** Credential id, base64url. */
  readonly id: string
  readonly userId: string
  /** COSE public key, base64url. */
  readonly publicKey: string
  /** Signature counter (WebAuthn §6.1.1). Stays 0 for passkeys that live on several devices. */
  readonly counter: number
  readonly transports: string[]
  readonly name: string
  readonly createdAt: number
  readonly lastUsedAt: number | null
}

/** As many as anybody has devices, and few enough to list. */
const MAX_PASSKEYS = 20

/** Keeps a new passkey. `taken`: this credential is known already. */
export async function addPasskey(
  db: Database,
  passkey: Omit<Passkey, 'lastUsedAt'>,
): Promise<'added' | 'taken' | 'too_many'> {
  const [row] = await db.select({ has: count() }).from(passkeys).where(eq(passkeys.userId, passkey.userId))
  if ((row?.has ?? 0) >= MAX_PASSKEYS) return 'too_many'
  try {
    await db.insert(passkeys).values(passkey)
    return 'added'
  } catch (error) {
    if (failedOn(error, 'passkeys.id')) return 'taken'
    throw error
  }
}

/** A person's passkeys, oldest first. */
export function listPasskeys(db: Database, userId: string): Promise<Passkey[]> {
  return db.select().from(passkeys).where(eq(passkeys.userId, userId)).orderBy(asc(passkeys.createdAt))
}

/** The passkey with this credential id (WebAuthn), whosever it is: whoever logs in has not said who they are. */
export async function findPasskey(db: Database, id: string): Promise<Passkey | undefined> {
  const [row] = await db.select().from(passkeys).where(eq(passkeys.id, id))
  return row
}

/**
 * Notes a use. False if the counter is no longer the one that the use was checked against: of two uses at once, one would
 * otherwise be let in with a counter that the other has passed.
 */
export async function notePasskeyUse(
  db: Database,
  passkey: Passkey,
  counter: number,
  now: number,
): Promise<boolean> {
  const rows = await db
    .update(passkeys)
    .set({ counter, lastUsedAt: now })
    .where(and(eq(passkeys.id, passkey.id), eq(passkeys.counter, passkey.counter)))
    .returning({ id: passkeys.id })
  return rows.length === 1
}

/** Removes a person's own passkey. False if there is none of this id. */
export async function removePasskey(db: Database, userId: string, id: string): Promise<boolean> {
  const rows = await db
    .delete(passkeys)
    .where(and(eq(passkeys.userId, userId), eq(passkeys.id, id)))
    .returning({ id: passkeys.id })
  return rows.length === 1
}
