import { and, eq, isNull, notExists } from 'drizzle-orm'
import type { Database } from './client.ts'
import { users } from './identity-schema.ts'

/** A person who can log in. */
export interface User {
  readonly id: string
  /** Lower case, and shown to be theirs. Null for a person known to GitHub only. */
  readonly email: string | null
  readonly githubId: string | null
  readonly name: string
}

const COLUMNS = { id: users.id, email: users.email, githubId: users.githubId, name: users.name }

/** The person with this verified address, which is lower case. */
export async function userByEmail(db: Database, email: string): Promise<User | undefined> {
  const [row] = await db.select(COLUMNS).from(users).where(eq(users.email, email))
  return row
}

/** The person whom GitHub knows by this number. */
export async function userByGithubId(db: Database, githubId: string): Promise<User | undefined> {
  const [row] = await db.select(COLUMNS).from(users).where(eq(users.githubId, githubId))
  return row
}

/**
 * Remembers which GitHub user a person is. False if the person is another one there already, or if that GitHub user is
 * another person here.
 */
export async function linkGithub(db: Database, userId: string, githubId: string): Promise<boolean> {
  const taken = db.select({ id: users.id }).from(users).where(eq(users.githubId, githubId))
  await db
    .update(users)
    .set({ githubId })
    .where(and(eq(users.id, userId), isNull(users.githubId), notExists(taken)))
  return (await userByGithubId(db, githubId))?.id === userId
}
