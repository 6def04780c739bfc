import { and, eq, gt, isNull, sql } from 'drizzle-orm'
import type { Database } from './client.ts'
import { joinStatement } from './host-networks.ts'
import { type MemberAuthority, stillHasRole } from './member-authority.ts'
import { networkAccounts, networkInvitations, networks } from './network-schema.ts'

type Kind = 'account' | 'host'

/** An invitation that can still be used. */
export interface OpenInvitation {
  readonly id: string
  readonly kind: Kind
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

/**
 * Stores an invitation to a Network of this account. False if the Network is gone, or if who invites has lost the role that they
 * came in with meanwhile.
 */
export async function createInvitation(
  db: Database,
  invitation: OpenInvitation & {
    readonly hash: string
    readonly network: string
    readonly accountId: string
    readonly by: MemberAuthority
  },
  now: number,
): Promise<boolean> {
  const { id, hash, network, accountId, by, kind, expiresAt } = invitation
  // Columns stand in the order of the schema.
  const rows = await db
    .insert(networkInvitations)
    .select(
      sql`select ${id}, ${hash}, name, ${kind}, ${now}, ${expiresAt}, null, null, ${by.userId ?? null} from networks
        where name = ${network} and account_id = ${accountId} and removed_at is null and ${stillHasRole(accountId, by)}`,
    )
    .returning({ id: networkInvitations.id })
  return rows.length > 0
}

/** Invitations to a Network that can still be used. The caller has seen that the Network is the account’s. */
export function openInvitations(db: Database, network: string, now: number): Promise<OpenInvitation[]> {
  const { id, kind, expiresAt } = networkInvitations
  return db
    .select({ id, kind, expiresAt })
    .from(networkInvitations)
    .where(and(eq(networkInvitations.network, network), isOpen(now)))
}

/** Withdraws an invitation. False if there is none that could still be used. */
export async function withdrawInvitation(
  db: Database,
  network: string,
  id: string,
  now: number,
): Promise<boolean> {
  const rows = await db
    .update(networkInvitations)
    .set({ closedAt: now })
    .where(and(eq(networkInvitations.network, network), eq(networkInvitations.id, id), isOpen(now)))
    .returning({ id: networkInvitations.id })
  return rows.length > 0
}

/**
 * Uses an invitation, once: an account becomes a guest, or its Host joins. Undefined if the token is unknown, used, withdrawn or
 * expired, if it is of the other kind, or if its Network is gone.
 */
export async function useInvitation(
  db: Database,
  guest: { readonly hash: string; readonly accountId: string; readonly hostId: string | undefined },
  now: number,
): Promise<{ network: string; kind: Kind } | undefined> {
  const { hash, accountId, hostId } = guest
  const kind = hostId === undefined ? 'account' : 'host'
  const [used] = await db
    .update(networkInvitations)
    .set({ usedBy: hostId ?? accountId, closedAt: now })
    .where(
      and(
        eq(networkInvitations.hash, hash),
        eq(networkInvitations.kind, kind),
        isOpen(now),
        sql`exists (select 1 from ${networks} where ${networks.name} = ${networkInvitations.network} and ${networks.removedAt} is null)`,
      ),
    )
    .returning({ network: networkInvitations.network, kind: networkInvitations.kind })
  if (used === undefined) return undefined
  const { network } = used
  if (hostId === undefined)
    await db
      .insert(networkAccounts)
      .values({ network, accountId, createdAt: now })
      .onConflictDoUpdate({
        target: [networkAccounts.network, networkAccounts.accountId],
        set: { leavingAt: null },
      })
  else await joinStatement(db, { hostId, accountId, network, status: 'active' }, now)
  return used
}

function isOpen(now: number) {
  return and(isNull(networkInvitations.closedAt), gt(networkInvitations.expiresAt, now))
}
