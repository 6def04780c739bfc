import { and, eq, gt, isNull, or, sql } from 'drizzle-orm'
import type { Database } from './client.ts'
import { joinStatement } from './host-networks.ts'
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

export async function listHosts(db: Database, accountId: string): Promise<HostRecord[]> {
  return db
    .select(COLUMNS)
    .from(hosts)
    .where(and(eq(hosts.accountId, accountId), isNull(hosts.removedAt)))
}

export async function createEnrolment(
  db: Database,
  enrolment: { hash: string; accountId: string; network: string; expiresAt: number },
  now: number,
): Promise<void> {
  await db.insert(hostEnrolments).values({ ...enrolment, createdAt: now })
}

/**
 * Uses an enrolment token for this Host: the first Host wins, and the same Host may use it again (rule C3). Undefined if
 * the token is unknown, expired, used by another or made for another.
 */
export async function useEnrolment(
  db: Database,
  hash: string,
  hostId: string,
  now: number,
): Promise<{ accountId: string; network: string } | undefined> {
  const [row] = await db
    .update(hostEnrolments)
    .set({ hostId })
    .where(
      and(
        eq(hostEnrolments.hash, hash),
        gt(hostEnrolments.expiresAt, now),
        or(isNull(hostEnrolments.forHostId), eq(hostEnrolments.forHostId, hostId)),
        or(isNull(hostEnrolments.hostId), eq(hostEnrolments.hostId, hostId)),
      ),
    )
    .returning({ accountId: hostEnrolments.accountId, network: hostEnrolments.network })
  return row
}

/** Enrols a Host and lets it into a Network, or asks for it. A key that is enrolled already keeps its account: only that account may move it. */
export async function enrolHost(
  db: Database,
  host: Omit<HostRecord, 'networks'> & { readonly network: string; readonly status: 'pending' | 'active' },
  now: number,
): Promise<HostRecord | undefined> {
  const { network, status, ...row } = host
  const { id: hostId, accountId } = row
  await db.batch([
    db
      .insert(hosts)
      .values({ ...row, createdAt: now })
      .onConflictDoNothing(),
    joinStatement(db, { hostId, accountId, network, status }, now),
  ])
  const enrolled = await findHost(db, host.id)
  return enrolled?.accountId === host.accountId ? enrolled : undefined
}

/** Removes a Host of this account. False if there is none. */
export async function removeHost(
  db: Database,
  hostId: string,
  accountId: string,
  now: number,
): Promise<boolean> {
  const rows = await db
    .update(hosts)
    .set({ removedAt: now })
    .where(and(eq(hosts.id, hostId), eq(hosts.accountId, accountId), isNull(hosts.removedAt)))
    .returning({ id: hosts.id })
  return rows.length > 0
}
