import { and, eq, gt, isNull, sql } from 'drizzle-orm'
import type { Database } from './client.ts'
import { hostNetworks, hostTransfers, networks } from './network-schema.ts'
import { hosts } from './schema.ts'

/** Offers a Host of this account to whoever shows the token. Earlier offers of it end. False if the account has no such Host. */
export async function offerTransfer(
  db: Database,
  offer: {
    readonly hash: string
    readonly hostId: string
    readonly accountId: string
    readonly expiresAt: number
  },
  now: number,
): Promise<boolean> {
  const { hash, hostId, accountId, expiresAt } = offer
  const [, rows] = await db.batch([
    db
      .update(hostTransfers)
      .set({ usedAt: now })
      .where(
        and(
          eq(hostTransfers.hostId, hostId),
          eq(hostTransfers.accountId, accountId),
          isNull(hostTransfers.usedAt),
        ),
      ),
    db
      .insert(hostTransfers)
      .select(
        sql`select ${hash}, ${hostId}, ${accountId}, ${now}, ${expiresAt}, null from hosts
          where id = ${hostId} and account_id = ${accountId} and removed_at is null`,
      )
      .returning({ hash: hostTransfers.hash }),
  ])
  return rows.length > 0
}

/**
 * Hands a Host over, once. It leaves every private Network: those were let into by its former owner. Undefined if the offer is unknown, used
 * or expired, or if the Host is not the offering account's any more.
 */
export async function acceptTransfer(
  db: Database,
  hash: string,
  accountId: string,
  now: number,
): Promise<string | undefined> {
  const [offer] = await db
    .update(hostTransfers)
    .set({ usedAt: now })
    .where(and(eq(hostTransfers.hash, hash), isNull(hostTransfers.usedAt), gt(hostTransfers.expiresAt, now)))
    .returning({ hostId: hostTransfers.hostId, from: hostTransfers.accountId })
  if (offer === undefined) return undefined
  const { hostId, from } = offer
  const [moved] = await db.batch([
    db
      .update(hosts)
      .set({ accountId })
      .where(and(eq(hosts.id, hostId), eq(hosts.accountId, from), isNull(hosts.removedAt)))
      .returning({ id: hosts.id }),
    db
      .delete(hostNetworks)
      .where(
        and(
          eq(hostNetworks.hostId, hostId),
          sql`exists (select 1 from ${hosts} where ${hosts.id} = ${hostId} and ${hosts.accountId} = ${accountId})`,
          sql`${hostNetworks.network} in (select ${networks.name} from ${networks} where ${networks.kind} = 'private')`,
        ),
      ),
  ])
  return moved[0]?.id
}
