import { env } from 'cloudflare:workers'
import type { AuditReport } from '@daisi/protocol'
import { expect, test } from 'vitest'
import { postWork } from './support/posted.ts'
import { audit, newAccount } from './support/orc.ts'

/** Changes the database behind the back of its triggers. */
async function tamper(statement: string, ...values: (string | number)[]): Promise<void> {
  const { results } = await env.DB.prepare("select name, sql from sqlite_master where type = 'trigger'").all<{
    name: string
    sql: string
  }>()
  await env.DB.batch([
    ...results.map(({ name }) => env.DB.prepare(`drop trigger ${name}`)),
    env.DB.prepare(statement).bind(...values),
    ...results.map(({ sql }) => env.DB.prepare(sql)),
  ])
}

/** What the audit says now that it did not say before. */
async function found(before: AuditReport): Promise<Partial<AuditReport>> {
  const after: Record<string, number> = await audit()
  const changes = Object.entries(before).filter(([name, count]) => after[name] !== count)
  return Object.fromEntries(changes.map(([name, count]) => [name, (after[name] ?? Number.NaN) - count]))
}

/** A consumer who paid an owner 30 credits. */
async function paid(): Promise<{ consumer: string; owner: string; settlement: string }> {
  const [{ id: consumer }, { id: owner }] = [await newAccount('consumer'), await newAccount('owner')]
  return { consumer, owner, settlement: await postWork(consumer, owner) }
}

test('[M2] a book that only the Orc wrote to is clean', async () => {
  await paid()
  expect(await audit()).toEqual({
    accounts: expect.any(Number),
    transfers: 4,
    settlements: 1,
    sum: 0,
    drifted: 0,
    overdrawn: 0,
    misplaced: 0,
    unexplained: 0,
    leases: 0,
    held: 0,
    open_anomalies: 0,
  })
})

// ?1 is the consumer, ?2 the owner, ?3 the settlement. A payment changes what its lease, its payer and its payee should
// have, and stands on three more pages.
const tamperings: readonly (readonly [string, string, Partial<AuditReport>])[] = [
  ['a balance', 'update ledger_accounts set balance = balance + 5 where id = ?2', { sum: 5, drifted: 1 }],
  [
    'two balances that cancel out',
    'update ledger_accounts set balance = balance + iif(id = ?1, 5, -5) where id in (?1, ?2)',
    { drifted: 2 },
  ],
  ['what is held', 'update ledger_accounts set held = held + 5 where id = ?1', { drifted: 1 }],
  ['what was earned', 'update ledger_accounts set earned = earned - 5 where id = ?2', { drifted: 1 }],
  ['what was spent', 'update ledger_accounts set spent = 0 where id = ?1', { drifted: 1 }],
  ['what is frozen', 'update ledger_accounts set frozen = 5 where id = ?1', { drifted: 1 }],
  [
    'an amount',
    "update transfers set amount = amount + 5 where id = 'settle:' || ?3 || ':' || ?2",
    { drifted: 3, unexplained: 15 },
  ],
  [
    'a missing payment',
    "delete from transfers where id = 'settle:' || ?3 || ':' || ?2",
    { transfers: -1, drifted: 3, unexplained: 90 },
  ],
  ['a missing refill', "delete from transfers where id = 'lease:' || ?3", { transfers: -1, drifted: 2 }],
  [
    'a payee who is not the owner of what is credited',
    "update transfers set payee = ?1 where id = 'settle:' || ?3 || ':' || ?2",
    // Its id still ends with an account id of the same length, so that the settlement finds it; the work does not.
    { misplaced: 1, unexplained: 60 },
  ],
  [
    'a reason that does not fit',
    "update transfers set reason = 'grant' where id = 'lease:' || ?3",
    { misplaced: 1, drifted: 1 },
  ],
  [
    'an adjustment without a note',
    "update transfers set reason = 'adjust' where id = 'grant:' || ?1",
    { misplaced: 1 },
  ],
  ['an unknown reason', "update transfers set reason = 'gift' where id = 'grant:' || ?1", { misplaced: 1 }],
  [
    'a payment without a settlement',
    `insert into transfers (id, debit, credit, payer, payee, amount, reason, created_at)
      select 'extra', debit, credit, payer, payee, 5, reason, 0 from transfers
      where id = 'settle:' || ?3 || ':' || ?2`,
    { transfers: 1, drifted: 3, unexplained: 15 },
  ],
  ['a missing settlement', 'delete from settlements where id = ?3', { settlements: -1, unexplained: 30 }],
  ['a settlement of more', 'update settlements set credits = 35 where id = ?3', { unexplained: 5 }],
  ["another lease's settlement", "update settlements set lease_id = 'x' where id = ?3", { unexplained: 60 }],
  ['usage', 'update usage_daily set credits = credits + 5 where account_id = ?1', { unexplained: 5 }],
  ['missing usage', 'delete from usage_daily where account_id = ?1', { unexplained: 30 }],
  ['work', 'update work_hourly set credits = credits - 5 where account_id = ?2', { unexplained: 5 }],
  [
    "work as somebody else's",
    'update work_hourly set account_id = ?1 where account_id = ?2',
    { unexplained: 60 },
  ],
]

test.for(tamperings)('[M2] the audit notices %s', async ([, statement, expected]) => {
  const { consumer, owner, settlement } = await paid()
  const before = await audit()
  // D1 wants a value for each parameter up to the last that is named.
  const values = [consumer, owner, settlement].slice(
    0,
    Math.max(...(statement.match(/(?<=\?)\d/g) ?? []).map(Number)),
  )
  await tamper(statement, ...values)
  expect(await found(before)).toEqual(expected)
})

test.for([
  ['payments from before settlements had rows need no usage and no work', -5, { settlements: -1 }],
  ['a later payment cannot pass for one of these', 1_000_000, { settlements: -1, unexplained: 90 }],
] as const)('%s', async ([, sequence, expected]) => {
  const { consumer, owner, settlement } = await paid()
  const before = await audit()
  await tamper(
    "update transfers set id = 'settle:ses_1:7:' || ?1, sequence = ?3 where id = 'settle:' || ?2 || ':' || ?1",
    owner,
    settlement,
    sequence,
  )
  await tamper('delete from settlements where id = ?', settlement)
  await tamper('delete from usage_daily where account_id = ?', consumer)
  await tamper('delete from work_hourly where account_id = ?', owner)
  expect(await found(before)).toEqual(expected)
})

test('the audit counts anomalies that wait for a review', async () => {
  const before = await audit()
  await env.DB.prepare(
    `insert into anomalies (id, kind, subject, status, opened_at, last_seen_at)
      values ('ano_1', 'clock_skew', 'a', 'open', 0, 0), ('ano_2', 'clock_skew', 'b', 'upheld', 0, 0)`,
  ).run()
  expect(await found(before)).toEqual({ open_anomalies: 1 })
})
