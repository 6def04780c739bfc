import { and, eq, or, sql } from 'drizzle-orm'
import type { Database } from './client.ts'
import { OPERATOR_ACCOUNT } from '../domain/ids.ts'
import { operators, users } from './identity-schema.ts'
import { endOperatorToken } from './issued.ts'

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

/** Everybody with a grant of their own, the oldest grant first. */
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

/**
 * Takes the grant back, and the operators' token with it if this person made it. `last`: the operators' token does not go back to
 * the set-up, so that without them there would be neither an operator nor a token.
 */
export async function revokeOperator(
  db: Database,
  userId: string,
  now: number,
): Promise<'done' | 'unknown' | 'last'> {
  const leavesAnOperator = sql`exists (select 1 from operators other where other.user_id <> ${userId})`
  const leavesToken = sql`exists (select 1 from accounts where id = ${OPERATOR_ACCOUNT} and token_issued_by is null)`
  const removal = db
    .delete(operators)
    .where(and(eq(operators.userId, userId), or(leavesAnOperator, leavesToken)))
    .returning({ userId: operators.userId })
  const [removed] = await db.batch([removal, ...endOperatorToken(db, userId, now)])
  if (removed.length > 0) return 'done'
  return (await isOperator(db, userId)) ? 'last' : 'unknown'
}
