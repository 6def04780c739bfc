import type { SpendClass } from '@daisi/protocol'
import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'

// Times are milliseconds since the epoch. Nothing here cascades: a row that money refers to is never
// deleted.

/** Who owns Hosts, Apps and credits. */
export const accounts = sqliteTable('accounts', {
  id: text('id').primaryKey(),
  name: text('name').notNull(),
  operator: integer('operator', { mode: 'boolean' }).notNull().default(false),
  /** SHA-256 of the account token, base64url. The token itself is shown once and stored nowhere. */
  tokenHash: text('token_hash').notNull().unique(),
  createdAt: integer('created_at').notNull(),
  /** The owner who made the token, or whose token made it, and with whose role it ends. Null: it descends from the account's first. */
  tokenIssuedBy: text('token_issued_by'),
})

/** A consumer registration. */
export const apps = sqliteTable('apps', {
  id: text('id').primaryKey(),
  accountId: text('account_id')
    .notNull()
    .references(() => accounts.id),
  name: text('name').notNull(),
  createdAt: integer('created_at').notNull(),
})

/** Secret Keys, stored as hashes. */
export const secretKeys = sqliteTable(
  'secret_keys',
  {
    id: text('id').primaryKey(),
    appId: text('app_id')
      .notNull()
      .references(() => apps.id),
    name: text('name').notNull(),
    /** SHA-256 of the key, base64url. */
    hash: text('hash').notNull().unique(),
    /** First characters of the key, for display. */
    prefix: text('prefix').notNull(),
    scopes: text('scopes', { mode: 'json' }).$type<string[]>().notNull(),
    networks: text('networks', { mode: 'json' }).$type<string[]>().notNull(),
    /** Models that it may use; null for all. */
    models: text('models', { mode: 'json' }).$type<string[]>(),
    /** Classes of Hosts to use, best first; null for the default order. */
    spendOrder: text('spend_order', { mode: 'json' }).$type<SpendClass[]>(),
    /** Credits that it may spend in each period, over all its Sessions; null without a limit of its own. */
    budget: integer('budget'),
    /** When `budget` starts anew, in UTC; null for never. Weeks begin on Monday. */
    budgetPeriod: text('budget_period', { enum: ['day', 'week', 'month'] }),
    createdAt: integer('created_at').notNull(),
    expiresAt: integer('expires_at'),
    /** To within some minutes. */
    lastUsedAt: integer('last_used_at'),
    revokedAt: integer('revoked_at'),
    /** The key that took over from this one. */
    replacedBy: text('replaced_by'),
  },
  (table) => [index('secret_keys_app').on(table.appId)],
)

/** Enrolled Hosts. */
export const hosts = sqliteTable(
  'hosts',
  {
    /** RFC 7638 thumbprint of the Host's public key. */
    id: text('id').primaryKey(),
    accountId: text('account_id')
      .notNull()
      .references(() => accounts.id),
    /** The `x` of the Ed25519 JWK. */
    publicKey: text('public_key').notNull(),
    name: text('name').notNull(),
    /** What Consumers see. */
    alias: text('alias').notNull().unique(),
    createdAt: integer('created_at').notNull(),
    removedAt: integer('removed_at'),
  },
  (table) => [index('hosts_account').on(table.accountId)],
)

/** One-time tokens with which an owner lets one Host in. */
export const hostEnrolments = sqliteTable('host_enrolments', {
  /** SHA-256 of the token, base64url. */
  hash: text('hash').primaryKey(),
  accountId: text('account_id')
    .notNull()
    .references(() => accounts.id),
  network: text('network').notNull(),
  createdAt: integer('created_at').notNull(),
  expiresAt: integer('expires_at').notNull(),
  /** The only Host that may use it; null for any. */
  forHostId: text('for_host_id'),
  /** The Host that used it. */
  hostId: text('host_id'),
  /** The member whose role it ends with; null: made with the account's token. */
  issuedBy: text('issued_by'),
})
