import { type SQL, and, eq, gt, isNotNull, isNull, lt, or, sql } from 'drizzle-orm'
import type { Settlement } from '../domain/money/settlement.ts'
import { type LeaseOwner, type Transfer, payment } from '../domain/money/transfer.ts'
import { HOUR_MS } from '../domain/time.ts'
import { type Database, type Statement, failedOn } from './client.ts'
import { ledgerAccounts, settlements, transfers, usageDaily, workHourly } from './book-schema.ts'

/** A settlement with its business id and whose it is. */
export interface SettlementEntry {
  readonly id: string
  readonly owner: LeaseOwner
  readonly keyId: string
  readonly settlement: Settlement
}

/** What the book refuses a write with that would move more than there is: of an account, what is frozen of it left out, or of a key's budget. */
const OVERDRAFTS = ['ledger_no_overdraft', 'ledger_frozen', 'key_budget']

/** Whether the book took a write. `conflict`: another write with the same business id stands there. */
export type PostOutcome = 'posted' | 'overdraft' | 'conflict'

/**
 * Writes transfers, all or none, each at most once. `overdraft` if one would take an account below zero or below what is frozen,
 * or beyond a key's budget. Rejects when the database does not answer: the caller may write the same transfers again.
 */
export function postTransfers(db: Database, entries: readonly Transfer[], now: number): Promise<PostOutcome> {
  return post(db, transferStatements(db, entries, now))
}

/** Writes a settlement: its payments, and once only the usage and work that they pay for. */
export function postSettlement(db: Database, entry: SettlementEntry, now: number): Promise<PostOutcome> {
  const { id, owner, settlement } = entry
  const payments = settlement.payments.map(({ payee, credits }) => payment(id, owner, payee, credits))
  const row = { id, leaseId: owner.leaseId, jobs: settlement.jobs, credits: settlement.credits }
  return post(db, [
    countUsage(db, entry),
    countWork(db, entry),
    ...transferStatements(db, payments, now),
    // Last: the counting above happens only while this row is missing.
    db.insert(settlements).values({ ...row, createdAt: now }),
  ])
}

/**
 * Makes sure that a Session's lease has an account in the book, and that the book knows whom to ask about it and whose budget it
 * counts against.
 */
export async function openLease(
  db: Database,
  owner: LeaseOwner,
  sessionName: string,
  keyId: string,
): Promise<void> {
  const { leaseId, accountId } = owner
  await db.batch([
    db.insert(ledgerAccounts).values({ id: leaseId, kind: 'lease', ownerId: accountId, sessionName, keyId }),
    db
      .update(ledgerAccounts)
      .set({ sessionName, keyId })
      .where(and(eq(ledgerAccounts.id, leaseId), isNull(ledgerAccounts.keyId))),
  ])
}

/** What the book holds for a lease. */
export async function leaseBalance(db: Database, leaseId: string): Promise<number> {
  const [row] = await db
    .select({ balance: ledgerAccounts.balance })
    .from(ledgerAccounts)
    .where(eq(ledgerAccounts.id, leaseId))
  return row?.balance ?? 0
}

/** A lease that holds credits, and the name of the Session to ask about it. */
export interface OpenLease extends LeaseOwner {
  readonly sessionName: string
  /** Time of its last transfer. */
  readonly movedAt: number
}

/** Leases that hold credits and that nothing moved since `before`, longest first, after the one given. */
export function idleLeases(
  db: Database,
  before: number,
  after: OpenLease | undefined,
  limit: number,
  now: number,
): Promise<OpenLease[]> {
  const { id, movedAt } = ledgerAccounts
  const later =
    after === undefined ? undefined : sql`(${movedAt}, ${id}) > (${after.movedAt}, ${after.leaseId})`
  // What was moved since the round began is not still. A time far ahead is the mark of a clock that was put back.
  const still = or(lt(movedAt, Math.min(before, now + 1)), gt(movedAt, now + HOUR_MS))
  return openLeases(db, and(still, later)).limit(limit)
}

/** Leases of an account, or of a key, that hold credits. */
export async function leasesOf(
  db: Database,
  of: { readonly accountId: string } | { readonly keyId: string },
): Promise<OpenLease[]> {
  const { ownerId, keyId } = ledgerAccounts
  return openLeases(db, 'keyId' in of ? eq(keyId, of.keyId) : eq(ownerId, of.accountId))
}

/** True while any lease holds credits. */
export async function hasOpenLease(db: Database): Promise<boolean> {
  return (await openLeases(db, undefined).limit(1)).length > 0
}

// Leases of the first version do not name their Session until its next refill. The condition is that of the partial index.
function openLeases(db: Database, which: SQL | undefined) {
  return db
    .select({
      leaseId: ledgerAccounts.id,
      accountId: sql<string>`${ledgerAccounts.ownerId}`,
      sessionName: sql<string>`${ledgerAccounts.sessionName}`,
      movedAt: ledgerAccounts.movedAt,
    })
    .from(ledgerAccounts)
    .where(
      and(
        sql`${ledgerAccounts.kind} = 'lease' and ${ledgerAccounts.balance} > 0`,
        isNotNull(ledgerAccounts.sessionName),
        which,
      ),
    )
    .orderBy(ledgerAccounts.movedAt, ledgerAccounts.id)
    .$dynamic()
}

async function post(db: Database, statements: readonly Statement[]): Promise<PostOutcome> {
  const [first, ...rest] = statements
  if (first === undefined) return 'posted'
  try {
    await db.batch([first, ...rest])
    return 'posted'
  } catch (error) {
    if (OVERDRAFTS.some((guard) => failedOn(error, guard))) return 'overdraft'
    if (failedOn(error, 'transfer_conflict')) return 'conflict'
    throw error
  }
}

function transferStatements(db: Database, entries: readonly Transfer[], now: number): Statement[] {
  return entries.map((entry) => db.insert(transfers).values({ ...entry, createdAt: now }))
}

// One statement with one parameter for all lines, whatever their number: D1 takes at most 100 parameters. Columns stand in
// the order of the schema.
function countUsage(db: Database, { id, owner, keyId, settlement }: SettlementEntry): Statement {
  const { accountId, day, model } = usageDaily
  return db
    .insert(usageDaily)
    .select(
      sql`select ${owner.accountId}, value ->> 'day', ${keyId}, value ->> 'model', value ->> 'jobs',
        value ->> 'promptTokens', value ->> 'cachedTokens', value ->> 'generatedTokens', value ->> 'credits'
      from json_each(${JSON.stringify(settlement.usage)}) where ${isNew(id)}`,
    )
    .onConflictDoUpdate({
      target: [accountId, day, usageDaily.keyId, model],
      set: {
        jobs: sql`jobs + excluded.jobs`,
        promptTokens: sql`prompt_tokens + excluded.prompt_tokens`,
        cachedTokens: sql`cached_tokens + excluded.cached_tokens`,
        generatedTokens: sql`generated_tokens + excluded.generated_tokens`,
        credits: sql`credits + excluded.credits`,
      },
    })
}

function countWork(db: Database, { id, settlement }: SettlementEntry): Statement {
  const { hostId, hour, model } = workHourly
  return db
    .insert(workHourly)
    .select(
      sql`select value ->> 'hostId', value ->> 'hour', value ->> 'model', value ->> 'network', value ->> 'payee',
        value ->> 'jobs', value ->> 'promptTokens', value ->> 'cachedTokens', value ->> 'generatedTokens',
        value ->> 'promptBytes', value ->> 'textBytes', value ->> 'credits'
      from json_each(${JSON.stringify(settlement.work)}) where ${isNew(id)}`,
    )
    .onConflictDoUpdate({
      target: [hostId, hour, model],
      set: {
        jobs: sql`jobs + excluded.jobs`,
        promptTokens: sql`prompt_tokens + excluded.prompt_tokens`,
        cachedTokens: sql`cached_tokens + excluded.cached_tokens`,
        generatedTokens: sql`generated_tokens + excluded.generated_tokens`,
        promptBytes: sql`prompt_bytes + excluded.prompt_bytes`,
        textBytes: sql`text_bytes + excluded.text_bytes`,
        credits: sql`credits + excluded.credits`,
      },
    })
}

/** True until the settlement is in the book. */
function isNew(settlementId: string): SQL {
  return sql`not exists (select 1 from settlements where id = ${settlementId})`
}
