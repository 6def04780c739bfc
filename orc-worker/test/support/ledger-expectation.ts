import { env } from 'cloudflare:workers'
import { expect } from 'vitest'
import { auditBook } from '../../src/db/audit.ts'
import { database } from '../../src/db/client.ts'
import type { JobReport } from '../../src/objects/session/types.ts'
import type { LedgerSession } from './ledger-session.ts'

const db = database(env)

/** What the audit found wrong so far in this file's book, which a sequence of its own must not add to. */
export interface Findings {
  readonly sum: number
  readonly drifted: number
  readonly overdrawn: number
  readonly misplaced: number
  readonly unexplained: number
  readonly leases: number
  readonly held: number
}

/** Recomputes the whole book. */
export async function findings(): Promise<Findings> {
  const { sum, drifted, overdrawn, misplaced, unexplained, leases, held } = await auditBook(db)
  return { sum, drifted, overdrawn, misplaced, unexplained, leases, held }
}

/**
 * Expects the book to pay exactly what the Sessions' models say, at rest. Every Job has a model's name of its own, so that
 * its line in the usage and work of the book is that of one Job.
 */
export async function expectPaid(
  accounts: readonly string[],
  grants: readonly number[],
  sessions: readonly LedgerSession[],
): Promise<void> {
  const due = sessions.flatMap(({ model, record, owner }) =>
    model.delivered().map(({ report, credits }) => ({ report, credits, record, owner })),
  )
  const paid = due.filter(({ credits }) => credits > 0)
  const used = due.map(({ report, credits, record }) => ({
    ...lineOf(report, credits),
    account: record.accountId,
    key: record.keyId,
  }))
  // What Hosts do for nothing, for their own account, is not counted as work.
  const worked = paid.map(({ report, credits }) => ({
    ...lineOf(report, credits),
    account: report.payee,
    host: report.hostId,
  }))
  const counts = `model as name, jobs, prompt_tokens as promptTokens, cached_tokens as cachedTokens,
    generated_tokens as generatedTokens, credits, account_id as account`
  expect(
    await rows(`select ${counts}, key_id as key from usage_daily where account_id in`, accounts),
  ).toEqual(byName(used))
  expect(
    await rows(`select ${counts}, host_id as host from work_hourly where account_id in`, accounts),
  ).toEqual(byName(worked))

  const payments = Map.groupBy(paid, ({ owner, report }) => `${owner.leaseId} to ${report.payee}`)
  expect(
    await rows(
      `select debit || ' to ' || credit as name, sum(amount) as credits from transfers
       where reason = 'settle' group by debit, credit having payer in`,
      accounts,
    ),
  ).toEqual(byName([...payments].map(([name, group]) => ({ name, credits: total(group) }))))

  expect(
    await rows(
      `select id as name, held, earned, spent, balance + spent - earned - (
         select coalesce(sum(iif(credit = a.id, amount, -amount)), 0) from transfers
         where reason = 'adjust' and a.id in (debit, credit)
       ) as granted from ledger_accounts a where id in`,
      accounts,
    ),
  ).toEqual(
    byName(
      accounts.map((id, index) => ({
        name: id,
        held: 0,
        earned: total(paid.filter(({ report }) => report.payee === id)),
        spent: total(paid.filter(({ record }) => record.accountId === id)),
        granted: grants[index] ?? 0,
      })),
    ),
  )
}

function lineOf({ jobId, usage }: JobReport, credits: number) {
  return { name: jobId, jobs: 1, ...usage, credits }
}

async function rows(
  query: string,
  accounts: readonly string[],
): Promise<(Record<string, unknown> & { name: string })[]> {
  const { results } = await env.DB.prepare(`${query} (select value from json_each(?))`)
    .bind(JSON.stringify(accounts))
    .all<Record<string, unknown> & { name: string }>()
  return byName(results)
}

function byName<Row extends { readonly name: string }>(list: readonly Row[]): Row[] {
  return list.toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

function total(list: readonly { readonly credits: number }[]): number {
  return list.reduce((sum, { credits }) => sum + credits, 0)
}
