import { index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { accounts } from './schema.ts'

// Who people are and how they come in. Times are milliseconds since the epoch. Secrets stand here as SHA-256 or HMAC only.

/** A person who can log in. */
export const users = sqliteTable('users', {
  id: text('id').primaryKey(),
  /** Lower case, shown to be theirs by a code or by GitHub. Null for a person known to GitHub only. */
  email: text('email').unique(),
  /** GitHub's number for the person; names there can change hands. */
  githubId: text('github_id').unique(),
  name: text('name').notNull(),
  createdAt: integer('created_at').notNull(),
})

/** Who may act for an account. */
export const members = sqliteTable(
  'members',
  {
    accountId: text('account_id')
      .notNull()
      .references(() => accounts.id),
    userId: text('user_id')
      .notNull()
      .references(() => users.id),
    role: text('role', { enum: ['owner', 'admin', 'member', 'viewer'] }).notNull(),
    createdAt: integer('created_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.accountId, table.userId] }),
    index('members_user').on(table.userId),
  ],
)

/** Whoever proves this e-mail address may join the account. */
export const memberInvitations = sqliteTable(
  'member_invitations',
  {
    id: text('id').primaryKey(),
    accountId: text('account_id')
      .notNull()
      .references(() => accounts.id),
    /** Lower case. */
    email: text('email').notNull(),
    role: text('role', { enum: ['owner', 'admin', 'member', 'viewer'] }).notNull(),
    /** The person, or the account by its token. What they may no longer invite to, nobody accepts. */
    invitedBy: text('invited_by').notNull(),
    createdAt: integer('created_at').notNull(),
    expiresAt: integer('expires_at').notNull(),
    /** Set once it was accepted or withdrawn. */
    closedAt: integer('closed_at'),
  },
  (table) => [
    index('member_invitations_email').on(table.email),
    index('member_invitations_account').on(table.accountId),
  ],
)

/** Operators of the platform. Membership of an account, whatever its role, never makes one. */
export const operators = sqliteTable('operators', {
  userId: text('user_id')
    .primaryKey()
    .references(() => users.id),
  /** The operator, person or account, who granted it. */
  grantedBy: text('granted_by').notNull(),
  createdAt: integer('created_at').notNull(),
})

/** Logins under way: each is used once, expires in minutes, and allows a few wrong answers. */
export const loginFlows = sqliteTable(
  'login_flows',
  {
    /** SHA-256 of the flow's token, which only the browser that began it has. */
    hash: text('hash').primaryKey(),
    kind: text('kind', { enum: ['email', 'github', 'passkey', 'passkey-registration'] }).notNull(),
    /** For `email`: where the code went, lower case. */
    email: text('email'),
    /** For `passkey-registration`: who adds one. */
    userId: text('user_id'),
    /** HMAC of the e-mail code, PKCE verifier, or WebAuthn challenge. */
    secret: text('secret').notNull(),
    attempts: integer('attempts').notNull().default(0),
    createdAt: integer('created_at').notNull(),
    expiresAt: integer('expires_at').notNull(),
    usedAt: integer('used_at'),
    /** For `email`: HMAC of who asked, by address block and e-mail address. */
    asker: text('asker'),
  },
  (table) => [index('login_flows_expiry').on(table.expiresAt), index('login_flows_email').on(table.email)],
)

/** Browsers that are logged in. */
export const loginSessions = sqliteTable(
  'login_sessions',
  {
    id: text('id').primaryKey(),
    userId: text('user_id')
      .notNull()
      .references(() => users.id),
    /** SHA-256 of the cookie's value. */
    hash: text('hash').notNull().unique(),
    /** The one before the last rotation. Shown again long after it, it was stolen. */
    previousHash: text('previous_hash').unique(),
    rotatedAt: integer('rotated_at').notNull(),
    createdAt: integer('created_at').notNull(),
    lastSeenAt: integer('last_seen_at').notNull(),
    expiresAt: integer('expires_at').notNull(),
    revokedAt: integer('revoked_at'),
    /** What the browser called itself, for the list. */
    label: text('label').notNull(),
  },
  (table) => [index('login_sessions_user').on(table.userId)],
)

/** WebAuthn credentials. */
export const passkeys = sqliteTable(
  'passkeys',
  {
    /** Credential id, base64url. */
    id: text('id').primaryKey(),
    userId: text('user_id')
      .notNull()
      .references(() => users.id),
    /** COSE public key, base64url. */
    publicKey: text('public_key').notNull(),
    counter: integer('counter').notNull(),
    transports: text('transports', { mode: 'json' }).$type<string[]>().notNull(),
    name: text('name').notNull(),
    createdAt: integer('created_at').notNull(),
    lastUsedAt: integer('last_used_at'),
  },
  (table) => [index('passkeys_user').on(table.userId)],
)

/** Hosts that ask to be let in by the Device Authorization Grant (RFC 8628). */
export const deviceGrants = sqliteTable(
  'device_grants',
  {
    /** SHA-256 of the device code. */
    hash: text('hash').primaryKey(),
    /** HMAC of the user code, which is too short for a plain hash. */
    userCodeMac: text('user_code_mac').notNull().unique(),
    status: text('status', { enum: ['pending', 'approved', 'denied', 'redeemed'] }).notNull(),
    /** The only Host that may use the answer. */
    hostId: text('host_id').notNull(),
    hostName: text('host_name').notNull(),
    network: text('network').notNull(),
    /** Where the request came from, for the owner to recognise. */
    address: text('address').notNull(),
    /** Who approved. */
    accountId: text('account_id').references(() => accounts.id),
    intervalSeconds: integer('interval_seconds').notNull(),
    polledAt: integer('polled_at').notNull().default(0),
    createdAt: integer('created_at').notNull(),
    expiresAt: integer('expires_at').notNull(),
    /** The member who approved, and with whose role an approval ends; null: the account's token. */
    issuedBy: text('issued_by'),
  },
  (table) => [index('device_grants_expiry').on(table.expiresAt)],
)
