import { sql } from 'drizzle-orm'
import { check, index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'
import { accounts } from './schema.ts'

// Times are milliseconds since the epoch. Credits are whole numbers. Triggers that guard the book stand in hand-written
// migrations (0001 to 0003).

/** The book: one row for each account, each system account and each Session's lease. */
export const ledgerAccounts = sqliteTable(
  'ledger_accounts',
  {
    id: text('id').primaryKey(),
    kind: text('kind', { enum: ['account', 'system', 'lease'] }).notNull(),
    /** For a lease: the account whose credits it holds. */
    ownerId: text('owner_id').references(() => accounts.id),
    /** For an account: what no lease holds. */
    balance: integer('balance').notNull().default(0),
    /** Of an account: what its leases hold. */
    held: integer('held').notNull().default(0),
    /** Of an account: everything that its Hosts were ever paid. */
    earned: integer('earned').notNull().default(0),
    /** Of an account: everything that its leases ever paid. */
    spent: integer('spent').notNull().default(0),
    /** Of an account: credits of its balance that may not go into a lease. */
    frozen: integer('frozen').notNull().default(0),
    /** Of a lease: the name of its Session's object, which alone knows what the lease is needed for. */
    sessionName: text('session_name'),
    /** Of a lease: the Secret Key behind it, whose budget it counts against. */
    keyId: text('key_id'),
    /** Time of the last transfer. */
    movedAt: integer('moved_at').notNull().default(0),
  },
  (table) => [
    index('ledger_accounts_owner').on(table.ownerId),
    index('ledger_accounts_key').on(table.keyId),
    index('ledger_open_leases')
      .on(table.movedAt)
      .where(sql`${table.kind} = 'lease' and ${table.balance} > 0`),
    check('ledger_kind', sql`${table.kind} in ('account', 'system', 'lease')`),
    check('ledger_no_overdraft', sql`${table.kind} = 'system' or ${table.balance} >= 0`),
    check('ledger_safe_integer', sql`abs(${table.balance}) <= 9007199254740991`),
    check('ledger_held', sql`${table.held} >= 0`),
    check('ledger_frozen', sql`${table.frozen} between 0 and 9007199254740991`),
  ],
)

/** One row moves `amount` from `debit` to `credit`; the sum over all balances therefore stays zero. Immutable. */
export const transfers = sqliteTable(
  'transfers',
  {
    /** Order of writing. */
    sequence: integer('sequence').primaryKey(),
    /** Business id: the same id with the same content is the same transfer. */
    id: text('id').notNull().unique(),
    debit: text('debit')
      .notNull()
      .references(() => ledgerAccounts.id),
    credit: text('credit')
      .notNull()
      .references(() => ledgerAccounts.id),
    /** The owner of the debited lease, or the debited account itself. */
    payer: text('payer').notNull(),
    /** The owner of the credited lease, or the credited account itself. */
    payee: text('payee').notNull(),
    amount: integer('amount').notNull(),
    reason: text('reason', { enum: ['grant', 'adjust', 'lease', 'release', 'settle'] }).notNull(),
    /** Why an operator adjusted. */
    note: text('note'),
    createdAt: integer('created_at').notNull(),
  },
  (table) => [
    index('transfers_payer').on(table.payer),
    index('transfers_payee').on(table.payee),
    index('transfers_payments')
      .on(table.createdAt)
      .where(sql`${table.reason} = 'settle'`),
    check('transfer_amount', sql`${table.amount} > 0 and ${table.amount} <= 9007199254740991`),
    check('transfer_two_sides', sql`${table.debit} <> ${table.credit}`),
  ],
)

/** Operators' decisions on how much of an account's balance may not be spent. The last one counts. Immutable. */
export const freezes = sqliteTable(
  'freezes',
  {
    sequence: integer('sequence').primaryKey(),
    accountId: text('account_id')
      .notNull()
      .references(() => accounts.id),
    /** Credits frozen from now on. 0 releases; the largest safe integer freezes future earnings too. */
    amount: integer('amount').notNull(),
    note: text('note').notNull(),
    operatorId: text('operator_id')
      .notNull()
      .references(() => accounts.id),
    createdAt: integer('created_at').notNull(),
  },
  (table) => [index('freezes_account').on(table.accountId)],
)

/** Settlements that are in the book. What is counted along with one (usage, work) is counted only if its row is new. */
export const settlements = sqliteTable('settlements', {
  id: text('id').primaryKey(),
  leaseId: text('lease_id').notNull(),
  jobs: integer('jobs').notNull(),
  credits: integer('credits').notNull(),
  createdAt: integer('created_at').notNull(),
})

/** What a key used of a model on one day (UTC), settled. */
export const usageDaily = sqliteTable(
  'usage_daily',
  {
    accountId: text('account_id').notNull(),
    day: text('day').notNull(),
    keyId: text('key_id').notNull(),
    model: text('model').notNull(),
    jobs: integer('jobs').notNull(),
    promptTokens: integer('prompt_tokens').notNull(),
    cachedTokens: integer('cached_tokens').notNull(),
    generatedTokens: integer('generated_tokens').notNull(),
    credits: integer('credits').notNull(),
  },
  (table) => [primaryKey({ columns: [table.accountId, table.day, table.keyId, table.model] })],
)

/** What a Host did with a model in one hour, settled. */
export const workHourly = sqliteTable(
  'work_hourly',
  {
    hostId: text('host_id').notNull(),
    /** Start of the hour, milliseconds since the epoch. */
    hour: integer('hour').notNull(),
    model: text('model').notNull(),
    network: text('network').notNull(),
    /** The Host's owner at that time. */
    accountId: text('account_id').notNull(),
    jobs: integer('jobs').notNull(),
    promptTokens: integer('prompt_tokens').notNull(),
    cachedTokens: integer('cached_tokens').notNull(),
    generatedTokens: integer('generated_tokens').notNull(),
    /** Bytes of the prompts, templates not counted. */
    promptBytes: integer('prompt_bytes').notNull(),
    /** Bytes of the text delivered. */
    textBytes: integer('text_bytes').notNull(),
    credits: integer('credits').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.hostId, table.hour, table.model] }),
    index('work_hourly_hour').on(table.hour),
    index('work_hourly_account').on(table.accountId, table.hour),
  ],
)

/** Something about a Host or an account that an operator should look at. One open record for each kind and subject. */
export const anomalies = sqliteTable(
  'anomalies',
  {
    sequence: integer('sequence').primaryKey(),
    id: text('id').notNull().unique(),
    kind: text('kind').notNull(),
    /** Id of the Host, account or lease. */
    subject: text('subject').notNull(),
    status: text('status', { enum: ['open', 'dismissed', 'upheld'] })
      .notNull()
      .default('open'),
    openedAt: integer('opened_at').notNull(),
    lastSeenAt: integer('last_seen_at').notNull(),
    reviewedAt: integer('reviewed_at'),
    reviewedBy: text('reviewed_by').references(() => accounts.id),
    note: text('note'),
  },
  (table) => [
    uniqueIndex('anomalies_open')
      .on(table.kind, table.subject)
      .where(sql`${table.status} = 'open'`),
    index('anomalies_status').on(table.status),
  ],
)

/** What was seen, in numbers. Never a prompt or an answer. */
export const anomalyEvidence = sqliteTable(
  'anomaly_evidence',
  {
    /** Business id: the same sighting again is the same row. */
    id: text('id').primaryKey(),
    anomalyId: text('anomaly_id')
      .notNull()
      .references(() => anomalies.id),
    seenAt: integer('seen_at').notNull(),
    detail: text('detail', { mode: 'json' }).$type<Readonly<Record<string, unknown>>>().notNull(),
  },
  (table) => [index('anomaly_evidence_anomaly').on(table.anomalyId)],
)
