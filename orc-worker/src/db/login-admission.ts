import { and, eq, gt, isNull } from 'drizzle-orm'
import type { Config } from '../config.ts'
import { hashOfNothing } from '../domain/credential.ts'
import { newId } from '../domain/ids.ts'
import { accountStatements } from './accounts.ts'
import { type Database, failedOn } from './client.ts'
import { memberInvitations, members, users } from './identity-schema.ts'
import { type User, linkGithub, userByEmail, userByGithubId } from './users.ts'

/** Who somebody has proved to be. */
export interface ProvenIdentity {
  /** Lower case, and shown to be theirs. Null if they have shown none. */
  readonly email: string | null
  /** What others see if they are new here. */
  readonly name: string
  readonly githubId?: string
}

export type AdmissionRules = Pick<Config, 'signUp' | 'signupGrant'>
export type Admission = { readonly ok: true; readonly userId: string } | { readonly ok: false }

/**
 * Decides whether somebody who proved an identity may come in: who is known here, who is invited, and anybody where sign-up
 * is open, who then gets an account with its sign-up grant. The only place that makes people.
 */
export async function admitPerson(
  db: Database,
  identity: ProvenIdentity,
  rules: AdmissionRules,
  now: number,
): Promise<Admission> {
  const known = await findPerson(db, identity)
  if (known !== undefined) return admitKnown(db, known, identity.githubId)
  if (rules.signUp !== 'open' && !(await isInvited(db, identity.email, now))) return { ok: false }
  const userId = newId('usr')
  try {
    await createPerson(db, userId, identity, rules, now)
    return { ok: true, userId }
  } catch (error) {
    if (!failedOn(error, 'users.email') && !failedOn(error, 'users.github_id')) throw error
    // The same person comes in twice at once.
    const other = await findPerson(db, identity)
    return other === undefined ? { ok: false } : admitKnown(db, other, identity.githubId)
  }
}

/** True if whoever proves this address would be let in now. */
export async function mayComeIn(
  db: Database,
  email: string,
  rules: AdmissionRules,
  now: number,
): Promise<boolean> {
  if (rules.signUp === 'open' || (await userByEmail(db, email)) !== undefined) return true
  return isInvited(db, email, now)
}

async function findPerson(db: Database, { email, githubId }: ProvenIdentity): Promise<User | undefined> {
  const known = githubId === undefined ? undefined : await userByGithubId(db, githubId)
  return known ?? (email === null ? undefined : userByEmail(db, email))
}

// A person whom GitHub knows by another number is not let in by this one, even with the same address: one of the two is stale.
async function admitKnown(db: Database, known: User, githubId: string | undefined): Promise<Admission> {
  const isSame = githubId === undefined || (await linkGithub(db, known.id, githubId))
  return isSame ? { ok: true, userId: known.id } : { ok: false }
}

async function isInvited(db: Database, email: string | null, now: number): Promise<boolean> {
  if (email === null) return false
  const rows = await db
    .select({ id: memberInvitations.id })
    .from(memberInvitations)
    .where(
      and(
        eq(memberInvitations.email, email),
        isNull(memberInvitations.closedAt),
        gt(memberInvitations.expiresAt, now),
      ),
    )
    .limit(1)
  return rows.length > 0
}

async function createPerson(
  db: Database,
  userId: string,
  { email, name, githubId }: ProvenIdentity,
  { signUp, signupGrant }: AdmissionRules,
  now: number,
): Promise<void> {
  const person = db
    .insert(users)
    .values({ id: userId, email, githubId: githubId ?? null, name, createdAt: now })
  if (signUp !== 'open') {
    await person
    return
  }
  // It has no token until its owner makes one.
  const account = { id: newId('acc'), name, operator: false, tokenHash: hashOfNothing() }
  await db.batch([
    person,
    ...accountStatements(db, account, signupGrant, now),
    db.insert(members).values({ accountId: account.id, userId, role: 'owner', createdAt: now }),
  ])
}
