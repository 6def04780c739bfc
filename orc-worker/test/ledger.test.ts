import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { database } from '../src/db/client.ts'
import { type Transfer, auditBook, availableBalance, postTransfers } from '../src/db/ledger.ts'
import { newAccount } from './support/orc.ts'

const db = database(env)
let serial = 0
const transfer = (over: Partial<Transfer>): Transfer => {
  return {
    id: `t-${++serial}`,
    debit: 'sys_grant',
    credit: 'sys_adjust',
    amount: 1,
    reason: 'grant',
    ...over,
  }
}
const insert = (
  id: string,
  debit: string,
  credit: string,
  amount: number,
  verb = 'INSERT',
): Promise<unknown> =>
  env.DB.prepare(
    `${verb} INTO transfers (id, debit, credit, amount, reason, created_at) VALUES (?, ?, ?, ?, 'grant', 0)`,
  )
    .bind(id, debit, credit, amount)
    .run()

test('the same transfer twice moves its credits once', async () => {
  const { id } = await newAccount('a')
  const once = transfer({ credit: id, amount: 7 })
  expect(await postTransfers(db, [once], 1)).toBe('posted')
  expect(await postTransfers(db, [once], 2)).toBe('posted')
  expect(await availableBalance(db, id)).toBe(10_007)
})

test('the same business id with other content is refused, also as INSERT OR REPLACE', async () => {
  const { id } = await newAccount('a')
  await insert('conflict', 'sys_grant', id, 5)
  await expect(insert('conflict', 'sys_grant', id, 6)).rejects.toThrow('transfer_conflict')
  await expect(insert('conflict', 'sys_grant', id, 6, 'INSERT OR REPLACE')).rejects.toThrow(
    'transfer_conflict',
  )
  expect(await availableBalance(db, id)).toBe(10_005)
})

test('an overdraft is refused by the database, and nothing of its batch remains', async () => {
  const [{ id: poor }, { id: other }] = [await newAccount('poor'), await newAccount('other')]
  const batch = [
    transfer({ debit: poor, credit: other, amount: 9_000 }),
    transfer({ debit: poor, credit: other, amount: 9_000 }),
  ]
  expect(await postTransfers(db, batch, 1)).toBe('overdraft')
  expect([await availableBalance(db, poor), await availableBalance(db, other)]).toEqual([10_000, 10_000])
})

test('forty concurrent transfers never overdraw and never lose a credit', async () => {
  const [{ id: from }, { id: to }] = [await newAccount('from'), await newAccount('to')]
  const entries = Array.from({ length: 40 }, () => transfer({ debit: from, credit: to, amount: 300 }))
  const outcomes = await Promise.all(entries.map((entry) => postTransfers(db, [entry], 1)))
  expect(outcomes.filter((outcome) => outcome === 'posted')).toHaveLength(33)
  expect([await availableBalance(db, from), await availableBalance(db, to)]).toEqual([100, 19_900])
})

test.for([
  ['a posted transfer cannot be changed', 'UPDATE transfers SET amount = 1', 'transfers_are_immutable'],
  ['a posted transfer cannot be deleted', 'DELETE FROM transfers', 'transfers_are_immutable'],
  ['a book account cannot be deleted', "DELETE FROM ledger_accounts WHERE id = 'sys_adjust'", 'permanent'],
  [
    'a book account starts empty',
    "INSERT INTO ledger_accounts VALUES ('rich', 'account', NULL, 5)",
    'start_empty',
  ],
  [
    'an amount is positive',
    "INSERT INTO transfers VALUES ('n', 'sys_grant', 'sys_adjust', -1, 'grant', 0)",
    'transfer_amount',
  ],
  [
    'an amount is a safe integer',
    "INSERT INTO transfers VALUES ('n', 'sys_grant', 'sys_adjust', 9007199254740992, 'grant', 0)",
    'transfer_amount',
  ],
  [
    'a transfer has two sides',
    "INSERT INTO transfers VALUES ('n', 'sys_grant', 'sys_grant', 1, 'grant', 0)",
    'transfer_two_sides',
  ],
  [
    'a transfer needs both accounts',
    "INSERT INTO transfers VALUES ('n', 'sys_grant', 'nobody', 1, 'grant', 0)",
    'FOREIGN KEY',
  ],
] as const)('%s', async ([, statement, reason]) => {
  await newAccount('someone')
  await expect(env.DB.prepare(statement).run()).rejects.toThrow(reason)
})

test('the audit sees a balance that was tampered with', async () => {
  const { id } = await newAccount('victim')
  expect(await auditBook(db)).toMatchObject({ sum: 0, drifted: 0, overdrawn: 0 })
  await env.DB.prepare('UPDATE ledger_accounts SET balance = balance + 5 WHERE id = ?').bind(id).run()
  expect(await auditBook(db)).toMatchObject({ sum: 5, drifted: 1, overdrawn: 0 })
  await env.DB.prepare('UPDATE ledger_accounts SET balance = balance - 5 WHERE id = ?').bind(id).run()
})
