import { and, eq, gt, inArray, isNotNull, isNull, ne, sql } from 'drizzle-orm'
import type { Database } from './client.ts'
import { type MemberAuthority, stillHasRole } from './member-authority.ts'
import { hostNetworks, hostTransfers, networks } from './network-schema.ts'
import { hosts } from './schema.ts'

/**
 * Offers a Host of this account to whoever shows the token. Earlier offers of it end. False if the account has no such Host, or
 * if who offers it has lost the role that they came in with meanwhile.
 */
export async function offerTransfer(
  db: Database,
  offer: {
    readonly hash: string
    readonly hostId: string
    readonly accountId: string
    readonly by: MemberAuthority
    readonly expiresAt: number
  },
  now: number,
): Promise<boolean> {
  const { hash, hostId, accountId, by, expiresAt } = offer
  const [, rows] = await db.batch([
    db
      .update(hostTransfers)
      .set({ usedAt: now })
      .where(
        and(
          eq(hostTransfers.hostId, hostId),
          eq(hostTransfers.accountId, accountId),
          isNull(hostTransfers.usedAt),
          stillHasRole(accountId, by),
        ),
      ),
    // Columns stand in the order of the schema.
    db
      .insert(hostTransfers)
      .select(
        sql`select ${hash}, ${hostId}, ${accountId}, ${now}, ${expiresAt}, null, ${by.userId ?? null} from hosts
          where id = ${hostId} and account_id = ${accountId} and removed_at is null and ${stillHasRole(accountId, by)}`,
      )
      .returning({ hash: hostTransfers.hash }),
  ])
  return rows.length > 0
}

/**
 * Hands a Host over, once. It leaves every private Network: those were let into by its former owner. Undefined if the offer is unknown, used
 * or expired, or if the Host is not the offering account's any more. The account that took the Host may repeat it.
 */
export async function acceptTransfer(
  db: Database,
  hash: string,
  accountId: string,
  now: number,
): Promise<string | undefined> {
  const isGood = and(
    eq(hostTransfers.hash, hash),
    isNull(hostTransfers.usedAt),
    gt(hostTransfers.expiresAt, now),
  )
  const offered = db
    .select({ id: hosts.id })
    .from(hostTransfers)
    .innerJoin(
      hosts,
      and(
        eq(hosts.id, hostTransfers.hostId),
        eq(hosts.accountId, hostTransfers.accountId),
        isNull(hosts.removedAt),
      ),
    )
    .where(isGood)
  const privately = db.select({ name: networks.name }).from(networks).where(eq(networks.kind, 'private'))
  // The offer is used last: it says until then which Host it is about.
  const [, [moved]] = await db.batch([
    db
      .delete(hostNetworks)
      .where(and(inArray(hostNetworks.hostId, offered), inArray(hostNetworks.network, privately))),
    db.update(hosts).set({ accountId }).where(inArray(hosts.id, offered)).returning({ id: hosts.id }),
    db.update(hostTransfers).set({ usedAt: now }).where(isGood),
  ])
  return moved?.id ?? takenBefore(db, hash, accountId)
}

/** The Host of this account that a used offer of another was about. */
async function takenBefore(db: Database, hash: string, accountId: string): Promise<string | undefined> {
  const [taken] = await db
    .select({ id: hosts.id })
    .from(hostTransfers)
    .innerJoin(hosts, eq(hosts.id, hostTransfers.hostId))
    .where(
      and(
        eq(hostTransfers.hash, hash),
        isNotNull(hostTransfers.usedAt),
        ne(hostTransfers.accountId, accountId),
        eq(hosts.accountId, accountId),
        isNull(hosts.removedAt),
      ),
    )
  return taken?.id
}
