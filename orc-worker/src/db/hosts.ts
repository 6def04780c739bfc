import { and, eq, gt, isNull, or, sql } from 'drizzle-orm'
import type { Database } from './client.ts'
import { joinStatement } from './host-networks.ts'
import { type MemberAuthority, stillHasRole } from './member-authority.ts'
import { hostEnrolments, hosts } from './schema.ts'

/** An enrolled Host. */
export interface HostRecord {
  readonly id: string
  readonly accountId: string
  readonly publicKey: string
  readonly name: string
  readonly alias: string
  /** Networks that it was let into. */
  readonly networks: readonly string[]
}

const COLUMNS = {
  id: hosts.id,
  accountId: hosts.accountId,
  publicKey: hosts.publicKey,
  name: hosts.name,
  alias: hosts.alias,
  networks: sql<string[]>`(
    select json_group_array(joined.network) from host_networks joined join networks on networks.name = joined.network
    where joined.host_id = hosts.id and joined.status = 'active' and networks.removed_at is null)`.mapWith(
    (text: string): string[] => JSON.parse(text),
  ),
}

/** The Host with this id, unless it is unknown or removed. */
export async function findHost(db: Database, hostId: string): Promise<HostRecord | undefined> {
  const [row] = await db
    .select(COLUMNS)
    .from(hosts)
    .where(and(eq(hosts.id, hostId), isNull(hosts.removedAt)))
  return row
}

/** Hosts of this account, in no order, with the Networks that they serve. Those that were removed are left out. */
export async function listHosts(db: Database, accountId: string): Promise<HostRecord[]> {
  return db
    .select(COLUMNS)
    .from(hosts)
    .where(and(eq(hosts.accountId, accountId), isNull(hosts.removedAt)))
}

/** Stores an enrolment token. False if who makes it has lost the role that they came in with meanwhile. */
export async function createEnrolment(
  db: Database,
  enrolment: { hash: string; accountId: string; by: MemberAuthority; network: string; expiresAt: number },
  now: number,
): Promise<boolean> {
  const { hash, accountId, by, network, expiresAt } = enrolment
  // Columns stand in the order of the schema.
  const rows = await db
    .insert(hostEnrolments)
    .select(
      sql`select ${hash}, ${accountId}, ${network}, ${now}, ${expiresAt}, null, null, ${by.userId ?? null}
        where ${stillHasRole(accountId, by)}`,
    )
    .returning({ hash: hostEnrolments.hash })
  return rows.length > 0
}

/**
 * What an enrolment token lets this Host into. The first Host that uses it wins, and the same Host may use it again (rule C3). Undefined if
 * the token is unknown, expired, used by another or made for another.
 */
export async function findEnrolment(
  db: Database,
  token: EnrolmentUse,
  now: number,
): Promise<{ accountId: string; network: string } | undefined> {
  const [row] = await db
    .select({ accountId: hostEnrolments.accountId, network: hostEnrolments.network })
    .from(hostEnrolments)
    .where(isUsable(token, now))
  return row
}

/** An enrolment token, by its hash, in the hands of a Host. */
export interface EnrolmentUse {
  readonly hash: string
  readonly hostId: string
}

/**
 * Enrols a Host and lets it into a Network, or asks for it, all or nothing with the use of its token. Used again, the token changes nothing.
 * A key that is enrolled already keeps its account: only that account may move it. `token_used`: another Host was faster; `key_taken`: the
 * key is removed or another account's.
 */
export async function enrolHost(
  db: Database,
  host: Omit<HostRecord, 'networks'> & { readonly network: string; readonly status: 'pending' | 'active' },
  token: EnrolmentUse,
  now: number,
): Promise<HostRecord | 'token_used' | 'key_taken'> {
  const { id, accountId, publicKey, name, alias, network, status } = host
  const [, , used] = await db.batch([
    db
      .insert(hosts)
      // Columns stand in the order of the schema.
      .select(
        sql`select ${id}, ${accountId}, ${publicKey}, ${name}, ${alias}, ${now}, null
          from host_enrolments where ${isUsable(token, now)}`,
      )
      .onConflictDoNothing(),
    joinStatement(
      db,
      { hostId: id, accountId, network, status },
      now,
      sql`exists (select 1 from host_enrolments where ${isUsable(token, now)} and host_id is null)`,
    ),
    db
      .update(hostEnrolments)
      .set({ hostId: id })
      .where(isUsable(token, now))
      .returning({ hash: hostEnrolments.hash }),
  ])
  if (used.length === 0) return 'token_used'
  const enrolled = await findHost(db, id)
  return enrolled?.accountId === accountId ? enrolled : 'key_taken'
}

function isUsable({ hash, hostId }: EnrolmentUse, now: number) {
  return and(
    eq(hostEnrolments.hash, hash),
    gt(hostEnrolments.expiresAt, now),
    or(isNull(hostEnrolments.forHostId), eq(hostEnrolments.forHostId, hostId)),
    or(isNull(hostEnrolments.hostId), eq(hostEnrolments.hostId, hostId)),
  )
}

/** Removes a Host of this account, for good. False if it has and had none such. */
export async function removeHost(
  db: Database,
  hostId: string,
  accountId: string,
  now: number,
): Promise<boolean> {
  const rows = await db
    .update(hosts)
    .set({ removedAt: sql`coalesce(${hosts.removedAt}, ${now})` })
    .where(and(eq(hosts.id, hostId), eq(hosts.accountId, accountId)))
    .returning({ id: hosts.id })
  return rows.length > 0
}
