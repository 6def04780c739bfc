import { eq } from 'drizzle-orm'
import type { Database } from './client.ts'
import { operators, users } from './identity-schema.ts'

/** A person who operates the platform. */
export interface Operator {
  readonly userId: string
  readonly name: string
  readonly email: string | null
  /** Id of the person, or of the account by its token. */
  readonly grantedBy: string
  /** Milliseconds since the epoch. */
  readonly createdAt: number
}

/** True if a person has a grant of their own. No membership makes one. */
export async function isOperator(db: Database, userId: string): Promise<boolean> {
  const rows = await db
    .select({ userId: operators.userId })
    .from(operators)
    .where(eq(operators.userId, userId))
  return rows.length > 0
}

export async function listOperators(db: Database): Promise<Operator[]> {
  const { userId, grantedBy, createdAt } = operators
  return db
    .select({ userId, name: users.name, email: users.email, grantedBy, createdAt })
    .from(operators)
    .innerJoin(users, eq(users.id, userId))
    .orderBy(createdAt, userId)
}

/** Makes a person an operator. May be repeated. */
export async function grantOperator(
  db: Database,
  { userId, grantedBy }: { userId: string; grantedBy: string },
  now: number,
): Promise<void> {
  await db.insert(operators).values({ userId, grantedBy, createdAt: now }).onConflictDoNothing()
}

/** Takes the grant back. False if there is none. */
export async function revokeOperator(db: Database, userId: string): Promise<boolean> {
  const rows = await db
    .delete(operators)
    .where(eq(operators.userId, userId))
    .returning({ userId: operators.userId })
  return rows.length > 0
}
