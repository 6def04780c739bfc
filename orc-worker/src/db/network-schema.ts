import { index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { accounts, hosts } from './schema.ts'

// Networks, who may use them, and which Hosts serve them. Times are milliseconds since the epoch.

/** A Network. There is one public one; the others belong to an account. */
export const networks = sqliteTable(
  'networks',
  {
    name: text('name').primaryKey(),
    kind: text('kind', { enum: ['public', 'private'] }).notNull(),
    /** Null for the public one. */
    accountId: text('account_id').references(() => accounts.id),
    /** CIDR blocks (RFC 4632) from which Hosts and Consumers may come. Empty: from anywhere. */
    cidrs: text('cidrs', { mode: 'json' }).$type<string[]>().notNull(),
    createdAt: integer('created_at').notNull(),
    /** A name is never given out twice. */
    removedAt: integer('removed_at'),
  },
  (table) => [index('networks_account').on(table.accountId)],
)

/** Other accounts whose keys may use a private Network, and whose Hosts may ask to join it. */
export const networkAccounts = sqliteTable(
  'network_accounts',
  {
    network: text('network')
      .notNull()
      .references(() => networks.name),
    accountId: text('account_id')
      .notNull()
      .references(() => accounts.id),
    createdAt: integer('created_at').notNull(),
    /** Set once it is sent away: it may do nothing any more, and is remembered until everybody was told. */
    leavingAt: integer('leaving_at'),
  },
  (table) => [
    primaryKey({ columns: [table.network, table.accountId] }),
    index('network_accounts_account').on(table.accountId),
  ],
)

/**
 * The Networks of a Host. `pending` waits for the Network's owner; `leaving` may do nothing any more, and is remembered until the Host's
 * object was told.
 */
export const hostNetworks = sqliteTable(
  'host_networks',
  {
    hostId: text('host_id')
      .notNull()
      .references(() => hosts.id),
    network: text('network')
      .notNull()
      .references(() => networks.name),
    status: text('status', { enum: ['pending', 'active', 'leaving'] }).notNull(),
    createdAt: integer('created_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.hostId, table.network] }),
    index('host_networks_network').on(table.network),
  ],
)

/** One-time tokens into a private Network: for an account, or for one Host. */
export const networkInvitations = sqliteTable(
  'network_invitations',
  {
    id: text('id').primaryKey(),
    /** SHA-256 of the token. */
    hash: text('hash').notNull().unique(),
    network: text('network')
      .notNull()
      .references(() => networks.name),
    kind: text('kind', { enum: ['account', 'host'] }).notNull(),
    createdAt: integer('created_at').notNull(),
    expiresAt: integer('expires_at').notNull(),
    /** The account or Host that used it. */
    usedBy: text('used_by'),
    /** Set once it was used or withdrawn. */
    closedAt: integer('closed_at'),
    /** The admin whose role it ends with; null: made with the account's token. */
    issuedBy: text('issued_by'),
  },
  (table) => [index('network_invitations_network').on(table.network)],
)

/** Offers of an owner to hand a Host over. */
export const hostTransfers = sqliteTable(
  'host_transfers',
  {
    /** SHA-256 of the token. */
    hash: text('hash').primaryKey(),
    hostId: text('host_id')
      .notNull()
      .references(() => hosts.id),
    /** The owner who offered it; the offer ends with their ownership. */
    accountId: text('account_id')
      .notNull()
      .references(() => accounts.id),
    createdAt: integer('created_at').notNull(),
    expiresAt: integer('expires_at').notNull(),
    usedAt: integer('used_at'),
    /** The person whose role it ends with; null: made with the account's token. */
    issuedBy: text('issued_by'),
  },
  (table) => [index('host_transfers_host').on(table.hostId)],
)
