import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import { database } from '../src/db/client.ts'
import { postTransfers } from '../src/db/ledger.ts'
import { type Transfer, refill } from '../src/domain/money/transfer.ts'
import { freeze, insertTransfer, runStatement } from './support/raw-book.ts'
import { availableBalance } from './support/books.ts'
import { newLease, postWork } from './support/posted.ts'
import { audit, newAccount } from './support/orc.ts'

// What the triggers of the book refuse, whatever code writes to it.

const db = database(env)
let serial = 0
const fresh = (): string => `g${++serial}`
const post = (...entries: Transfer[]): Promise<string> => postTransfers(db, entries, 1)

describe('which accounts a reason may move credits between', () => {
  let mine: string
  let theirs: string
  let lease: string
  let theirLease: string
  beforeEach(async () => {
    mine = (await newAccount('mine')).id
    theirs = (await newAccount('theirs')).id
    lease = (await newLease(mine)).leaseId
    theirLease = (await newLease(theirs)).leaseId
    await post(refill(fresh(), { leaseId: lease, accountId: mine }, 100))
  })

  type Side = 'mine' | 'theirs' | 'lease' | 'theirLease' | 'sys_grant' | 'sys_adjust'
  const move = (debit: Side, credit: Side, over: Partial<Transfer>): Transfer => {
    const ids: Record<string, string> = { mine, theirs, lease, theirLease }
    const owners: Record<string, string> = { lease: mine, theirLease: theirs }
    return {
      id: fresh(),
      debit: ids[debit] ?? debit,
      credit: ids[credit] ?? credit,
      payer: owners[debit] ?? ids[debit] ?? debit,
      payee: owners[credit] ?? ids[credit] ?? credit,
      amount: 1,
      reason: 'grant',
      ...over,
    }
  }

  test.for([
    ['a grant that an account pays', 'mine', 'theirs', { reason: 'grant' }],
    ['a grant out of adjustments', 'sys_adjust', 'mine', { reason: 'grant' }],
    ['a grant into a lease', 'sys_grant', 'lease', { reason: 'grant' }],
    ['an adjustment without a note', 'sys_adjust', 'mine', { reason: 'adjust' }],
    ['an adjustment between accounts', 'mine', 'theirs', { reason: 'adjust', note: 'n' }],
    ['an adjustment out of grants', 'sys_grant', 'mine', { reason: 'adjust', note: 'n' }],
    ['an adjustment of a lease', 'lease', 'sys_adjust', { reason: 'adjust', note: 'n' }],
    ["a refill of another's lease", 'mine', 'theirLease', { reason: 'lease' }],
    ['a refill of an account', 'mine', 'theirs', { reason: 'lease' }],
    ['a refill out of a lease', 'lease', 'theirLease', { reason: 'lease' }],
    ['a release to another', 'lease', 'theirs', { reason: 'release' }],
    ['a release out of an account', 'mine', 'theirs', { reason: 'release' }],
    ['a release to the system', 'lease', 'sys_grant', { reason: 'release' }],
    ['a payment to oneself', 'lease', 'mine', { reason: 'settle' }],
    ['a payment out of an account', 'mine', 'theirs', { reason: 'settle' }],
    ['a payment into a lease', 'lease', 'theirLease', { reason: 'settle' }],
    ['a payment to the system', 'lease', 'sys_adjust', { reason: 'settle' }],
    ['an unknown reason', 'sys_grant', 'mine', { reason: 'gift' as 'grant' }],
    ['another payer than the owner', 'lease', 'theirs', { reason: 'settle', payer: 'sys_grant' }],
    ['another payee than the owner', 'sys_grant', 'mine', { reason: 'grant', payee: 'sys_grant' }],
    ['an account that does not exist', 'sys_grant', 'mine', { credit: 'nobody', payee: 'nobody' }],
  ] as const)('%s is refused', async ([, debit, credit, over]) => {
    await expect(insertTransfer(move(debit, credit, over))).rejects.toThrow('transfer_shape')
  })

  test.for([
    ['a grant', 'sys_grant', 'mine', { reason: 'grant' }],
    ['a gift of an operator', 'sys_adjust', 'mine', { reason: 'adjust', note: 'n' }],
    ['a correction', 'mine', 'sys_adjust', { reason: 'adjust', note: 'n' }],
    ['a refill', 'mine', 'lease', { reason: 'lease' }],
    ['a release', 'lease', 'mine', { reason: 'release' }],
    ['a payment', 'lease', 'theirs', { reason: 'settle' }],
  ] as const)('%s is taken', async ([, debit, credit, over]) => {
    expect(await post(move(debit, credit, over))).toBe('posted')
  })

  test.for([
    ['negative', -1, 'transfer_amount'],
    ['zero', 0, 'transfer_amount'],
    ['no safe integer', 2 ** 53, 'ledger_no_overdraft'],
    ['part of a credit', 1.5, 'transfer_shape'],
    ['a text', 'many', 'transfer_shape'],
    ['bytes', new Uint8Array([49]), 'transfer_shape'],
    ['missing', null, 'transfer_shape'],
  ] as const)('an amount that is %s is refused', async ([, amount, reason]) => {
    const entry = move('mine', 'lease', { reason: 'lease', amount: amount as number })
    await expect(insertTransfer(entry)).rejects.toThrow(reason)
  })

  test('an overdraft is refused, whatever the statement says about conflicts', async () => {
    const before = await audit()
    for (const verb of [
      'INSERT',
      'INSERT OR REPLACE',
      'INSERT OR IGNORE',
      'INSERT OR FAIL',
      'INSERT OR ROLLBACK',
    ]) {
      const entry = move('mine', 'lease', { reason: 'lease', amount: 1_000_000 })
      await expect(insertTransfer(entry, verb)).rejects.toThrow('ledger_no_overdraft')
    }
    expect(await audit()).toEqual(before)
  })

  test.for([
    ['bytes', new Uint8Array([49])],
    ['missing', null],
  ] as const)('an id that is %s is refused', async ([, id]) => {
    const entry = move('sys_grant', 'mine', { id: id as unknown as string })
    await expect(insertTransfer(entry)).rejects.toThrow('transfer_shape')
  })

  test.for([0, -1, -2, 1])('a transfer is not written at sequence %i', async (sequence) => {
    for (const verb of ['INSERT', 'INSERT OR REPLACE', 'INSERT OR IGNORE']) {
      const entry = { ...move('sys_grant', 'mine', {}), sequence }
      await expect(insertTransfer(entry, verb)).rejects.toThrow('transfer_conflict')
    }
  })

  test.for(['grant', 'adjust'] as const)('no gift brings a balance above 2^52: %s', async (reason) => {
    const give = (amount: number): Promise<void> =>
      insertTransfer(move(`sys_${reason}`, 'mine', { reason, note: 'n', amount }))
    // The account began with 10,000 and has put 100 into its lease.
    const most = 2 ** 52 - 9_900
    await expect(give(most + 1)).rejects.toThrow('ledger_safe_integer')
    await give(most)
    await expect(give(1)).rejects.toThrow('ledger_safe_integer')
    // What comes back from a lease still fits.
    expect(await post(move('lease', 'mine', { reason: 'release' }))).toBe('posted')
    expect(await availableBalance(db, mine)).toBe(2 ** 52 + 1)
  })
})

test.for([
  ['a posted transfer cannot be changed', 'UPDATE transfers SET amount = 1', 'transfers_are_immutable'],
  ['a posted transfer cannot be deleted', 'DELETE FROM transfers', 'transfers_are_immutable'],
  ['a settlement cannot be changed', 'UPDATE settlements SET credits = 1', 'settlements_are_immutable'],
  ['a settlement cannot be deleted', 'DELETE FROM settlements', 'settlements_are_immutable'],
  ['a freeze cannot be changed', 'UPDATE freezes SET amount = 0', 'freezes_are_immutable'],
  ['a freeze cannot be deleted', 'DELETE FROM freezes', 'freezes_are_immutable'],
  [
    'a freeze cannot be replaced',
    'INSERT OR REPLACE INTO freezes SELECT sequence, account_id, 0, note, operator_id, 0 FROM freezes',
    'freezes_are_immutable',
  ],
  ['a book account cannot be deleted', "DELETE FROM ledger_accounts WHERE id = 'sys_adjust'", 'permanent'],
  ['a book account keeps its kind', "UPDATE ledger_accounts SET kind = 'system'", 'permanent'],
  ['a book account keeps its owner', "UPDATE ledger_accounts SET owner_id = 'acc_operator'", 'permanent'],
  ['a book account keeps its id', "UPDATE ledger_accounts SET id = id || 'x'", 'permanent'],
  ...['balance', 'held', 'earned', 'spent', 'frozen'].map(
    (column) =>
      [
        `a book account starts with no ${column}`,
        `INSERT INTO ledger_accounts (id, kind, ${column}) VALUES ('rich', 'account', 5)`,
        'start_empty',
      ] as const,
  ),
  [
    'a settlement has a number',
    "INSERT INTO settlements (rowid, id, lease_id, jobs, credits, created_at) VALUES (-1, 'stl_x', 'l', 0, 0, 0)",
    'settlements_are_immutable',
  ],
  [
    'a freeze has a number',
    'INSERT INTO freezes SELECT -1, account_id, 0, note, operator_id, 0 FROM freezes',
    'freezes_are_immutable',
  ],
  [
    'a book account has a number',
    "INSERT INTO ledger_accounts (rowid, id, kind) VALUES (-1, 'x', 'account')",
    'ledger_accounts_are_permanent',
  ],
  [
    'nothing is held below zero',
    "UPDATE ledger_accounts SET held = -1 WHERE kind = 'account'",
    'ledger_held',
  ],
] as const)('%s', async ([, statement, reason]) => {
  const [{ id }, { id: other }] = [await newAccount('someone'), await newAccount('other')]
  await postWork(id, other)
  await freeze(id, 1)
  await expect(runStatement(statement)).rejects.toThrow(reason)
})

test.for([
  "INSERT OR REPLACE INTO ledger_accounts (id, kind) SELECT id, 'system' FROM ledger_accounts",
  'INSERT OR REPLACE INTO settlements SELECT id, lease_id, jobs, 999, 0 FROM settlements',
  `INSERT OR REPLACE INTO settlements (rowid, id, lease_id, jobs, credits, created_at)
    SELECT rowid, 'another ' || id, lease_id, jobs, credits, 0 FROM settlements`,
  `INSERT OR REPLACE INTO ledger_accounts (rowid, id, kind) SELECT rowid, 'another ' || id, kind FROM ledger_accounts`,
])('what stands in the book stays: %s', async (statement) => {
  const [{ id }, { id: other }] = [await newAccount('someone'), await newAccount('other')]
  await postWork(id, other)
  const before = await audit()
  await runStatement(statement)
  expect(await audit()).toEqual(before)
  expect(await availableBalance(db, other)).toBe(10_030)
})
