import type { StatementEntry, StatementKind } from '@daisi/protocol'
import { sql } from 'drizzle-orm'
import type { TransferReason } from '../domain/money/transfer.ts'
import type { Database } from './client.ts'

/** Transfers looked at in one query, at least, while reservations are left out. */
const MIN_WINDOW = 200
/** Queries that one page may take. */
const MAX_WINDOWS = 5

/** What a page of a statement is asked for. */
export interface StatementRequest {
  readonly accountId: string
  /** Only what was written before the transfer with this sequence; undefined for everything. */
  readonly before: number | undefined
  /** Entries at most. */
  readonly limit: number
  /** Whether what moves between free and held is shown as well. */
  readonly reservations: boolean
}

/** Some entries, newest first. */
export interface StatementSlice {
  readonly entries: StatementEntry[]
  /** `before` of the next slice, undefined after the last. */
  readonly next: number | undefined
}

interface Row {
  readonly sequence: number
  readonly payer: string
  readonly amount: number
  readonly reason: TransferReason
  readonly note: string | null
  readonly createdAt: number
}

/**
 * Reads a page of an account's statement. Reservations are left out after reading, not while searching: an account may
 * have any number of them between two changes, so a page looks at a limited number of transfers and may then have fewer
 * entries than asked for, even none, and still a next one.
 */
export async function readStatement(db: Database, request: StatementRequest): Promise<StatementSlice> {
  const { accountId, limit, reservations } = request
  const window = reservations ? limit + 1 : Math.max(limit + 1, MIN_WINDOW)
  const shown: Row[] = []
  let { before } = request
  for (let count = 0; count < MAX_WINDOWS; count++) {
    const rows = await newestTransfers(db, accountId, before, window)
    shown.push(...rows.filter((row) => reservations || !isReservation(row)))
    const ended = rows.length < window
    if (ended || shown.length > limit) return sliceOf(shown, accountId, limit, undefined)
    before = rows.at(-1)?.sequence
  }
  return sliceOf(shown, accountId, limit, before)
}

/**
 * The newest transfers that an account is a side of. Each side comes from its own index in the order of the sequence and
 * brings at most `count` rows, among which the newest `count` of both are. What the account moves within itself stands in
 * both indexes and is taken from the first.
 */
function newestTransfers(
  db: Database,
  accountId: string,
  before: number | undefined,
  count: number,
): Promise<Row[]> {
  const columns = sql.raw('sequence, payer, amount, reason, note, created_at as createdAt')
  const earlier = before === undefined ? sql.empty() : sql`and sequence < ${before}`
  return db.all<Row>(sql`
    select ${columns} from (
      select * from (select * from transfers where payer = ${accountId} ${earlier} order by sequence desc limit ${count})
      union all
      select * from (select * from transfers where payee = ${accountId} ${earlier} order by sequence desc limit ${count})
      where payer <> ${accountId}
    ) order by sequence desc limit ${count}`)
}

function sliceOf(
  rows: readonly Row[],
  accountId: string,
  limit: number,
  resume: number | undefined,
): StatementSlice {
  const page = rows.slice(0, limit)
  const next = rows.length > limit ? page.at(-1)?.sequence : resume
  return { entries: page.map((row) => entryOf(row, accountId)), next }
}

function isReservation({ reason }: Row): boolean {
  return reason === 'lease' || reason === 'release'
}

// The id is made of the sequence: a transfer's own names the Session that pays and the account that is paid, and neither
// side is to learn of the other.
function entryOf(row: Row, accountId: string): StatementEntry {
  const kind = kindOf(row.reason, row.payer === accountId)
  const leaves = kind === 'reserved' || (kind !== 'returned' && row.payer === accountId)
  return {
    id: `mov_${row.sequence}`,
    kind,
    amount: leaves ? -row.amount : row.amount,
    note: row.note,
    created_at: Math.floor(row.createdAt / 1_000),
  }
}

function kindOf(reason: TransferReason, paid: boolean): StatementKind {
  switch (reason) {
    case 'grant':
    case 'adjust':
      return reason
    case 'settle':
      return paid ? 'spent' : 'earned'
    case 'lease':
      return 'reserved'
    case 'release':
      return 'returned'
  }
}
