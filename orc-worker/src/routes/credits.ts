import {
  type ActivityReport,
  type ReportRow,
  type StatementPage,
  earningsQuery,
  statementQuery,
  usageQuery,
} from '@daisi/protocol'
import { accepts } from 'hono/accepts'
import { database } from '../db/client.ts'
import { earningsReport, usageReport } from '../db/reports.ts'
import { type StatementRequest, readStatement } from '../db/statement.ts'
import { type DayRange, dayRange } from '../domain/day-range.ts'
import type { AppContext } from '../http/context.ts'
import { ApiError } from '../http/errors.ts'
import { readQuery } from '../http/read-query.ts'
import { STATEMENT_CSV_HEADERS, statementCsv } from '../http/statement-csv.ts'

const DEFAULT_ENTRIES = 100
/** Entries that are in memory at a time while a statement is written as CSV. */
const CSV_ENTRIES = 1_000
/** Lines of a report. */
const MAX_ROWS = 1_000

/** `GET /api/statement`: what moved the caller's credits, newest first. As CSV always the whole statement. */
export async function getStatement(c: AppContext): Promise<Response> {
  const query = readQuery(c, statementQuery)
  const request = { accountId: c.var.account.id, reservations: query.show === 'all' }
  const db = database(c.env)
  if ((query.format ?? acceptedFormat(c)) === 'csv') {
    const all: StatementRequest = { ...request, before: undefined, limit: CSV_ENTRIES }
    const body = await statementCsv((before) => readStatement(db, { ...all, before }))
    return new Response(body, { headers: STATEMENT_CSV_HEADERS })
  }
  const page = { ...request, before: query.cursor, limit: query.limit ?? DEFAULT_ENTRIES }
  const { entries, next } = await readStatement(db, page)
  c.header('vary', 'accept')
  return c.json({ entries, next_cursor: next === undefined ? null : String(next) } satisfies StatementPage)
}

/** `GET /api/usage`: what the caller's keys used. */
export async function getUsageReport(c: AppContext): Promise<Response> {
  const { by = 'day', ...asked } = readQuery(c, usageQuery)
  const range = readRange(asked)
  const { id } = c.var.account
  return report(c, by, range, await usageReport(database(c.env), id, by, range, MAX_ROWS + 1))
}

/** `GET /api/earnings`: what the caller's Hosts did. */
export async function getEarningsReport(c: AppContext): Promise<Response> {
  const { by = 'day', ...asked } = readQuery(c, earningsQuery)
  const range = readRange(asked)
  const { id } = c.var.account
  return report(c, by, range, await earningsReport(database(c.env), id, by, range, MAX_ROWS + 1))
}

function report(c: AppContext, by: string, range: DayRange, rows: ReportRow[]): Response {
  if (rows.length > MAX_ROWS) {
    const message = `The report has more than ${MAX_ROWS} lines. Ask for fewer days, or group by day.`
    throw new ApiError({ code: 'invalid_request', message, param: 'by' })
  }
  return c.json({ by, ...range, rows } satisfies ActivityReport)
}

function readRange(asked: {
  readonly from?: string | undefined
  readonly to?: string | undefined
}): DayRange {
  const result = dayRange(asked, Date.now())
  if (result.ok) return result.range
  throw new ApiError({ code: 'invalid_request', message: result.message, param: result.param })
}

function acceptedFormat(c: AppContext): 'json' | 'csv' {
  const supports = ['application/json', 'text/csv']
  const type = accepts(c, { header: 'Accept', supports, default: 'application/json' })
  return type === 'text/csv' ? 'csv' : 'json'
}
