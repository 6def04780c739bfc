import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { database } from '../src/db/client.ts'
import { leaseBalance, openLease, postSettlement, postTransfers } from '../src/db/ledger.ts'
import { settlementOf } from '../src/domain/money/settlement.ts'
import {
  type LeaseOwner,
  type Transfer,
  adjustment,
  payment,
  refill,
  release,
} from '../src/domain/money/transfer.ts'
import { availableBalance } from './support/books.ts'
import { newLease } from './support/posted.ts'
import { balanceOf, newAccount } from './support/orc.ts'
import { freeze, insertTransfer, runStatement } from './support/raw-book.ts'

const db = database(env)
let serial = 0
const fresh = (): string => `t${++serial}`
const post = (...entries: Transfer[]): Promise<string> => postTransfers(db, entries, 1)

test('the same transfer twice moves its credits once', async () => {
  const { id } = await newAccount('a')
  const once = adjustment(fresh(), id, 7, 'note')
  expect(await postTransfers(db, [once], 1)).toBe('posted')
  expect(await postTransfers(db, [once], 2)).toBe('posted')
  expect(await availableBalance(db, id)).toBe(10_007)
})

test.for([
  ['amount', { amount: 6 }],
  ['note', { note: 'another' }],
  ['debit', { debit: 'sys_grant', payer: 'sys_grant' }],
  ['reason', { reason: 'grant' }],
] as const)('the same business id with another %s is refused, also by REPLACE', async ([, over]) => {
  const { id } = await newAccount('a')
  const first = adjustment(fresh(), id, 5, 'note')
  expect(await post(first)).toBe('posted')
  expect(await post({ ...first, ...over })).toBe('conflict')
  await expect(insertTransfer({ ...first, ...over }, 'INSERT OR REPLACE')).rejects.toThrow(
    'transfer_conflict',
  )
  expect(await availableBalance(db, id)).toBe(10_005)
})

test('a transfer cannot take the place of another, also by REPLACE', async () => {
  const { id } = await newAccount('a')
  await insertTransfer({ ...adjustment(fresh(), id, 5, 'note'), sequence: 1_000_000 })
  const usurper = { ...adjustment(fresh(), id, 6, 'note'), sequence: 1_000_000 }
  for (const verb of ['INSERT', 'INSERT OR REPLACE', 'INSERT OR IGNORE']) {
    await expect(insertTransfer(usurper, verb)).rejects.toThrow('transfer_conflict')
  }
  expect(await availableBalance(db, id)).toBe(10_005)
})

test('an overdraft is refused by the database, and nothing of its batch remains', async () => {
  const { id } = await newAccount('poor')
  const lease = await newLease(id)
  expect(await post(refill(fresh(), lease, 9_000), refill(fresh(), lease, 9_000))).toBe('overdraft')
  expect([await availableBalance(db, id), await leaseBalance(db, lease.leaseId)]).toEqual([10_000, 0])
})

test('forty concurrent transfers never overdraw and never lose a credit', async () => {
  const { id } = await newAccount('from')
  const lease = await newLease(id)
  const outcomes = await Promise.all(Array.from({ length: 40 }, () => post(refill(fresh(), lease, 300))))
  expect(outcomes.filter((outcome) => outcome === 'posted')).toHaveLength(33)
  expect([await availableBalance(db, id), await leaseBalance(db, lease.leaseId)]).toEqual([100, 9_900])
})

test('totals follow every transfer: held, earned and spent', async () => {
  const [payer, payee] = [await newAccount('payer'), await newAccount('payee')]
  const lease = await newLease(payer.id)
  await post(refill(fresh(), lease, 500))
  expect(await balanceOf(payer)).toEqual({ available: 9_500, held: 500, frozen: 0, earned: 0, spent: 0 })
  await post(payment(fresh(), lease, payee.id, 120))
  expect(await balanceOf(payer)).toEqual({ available: 9_500, held: 380, frozen: 0, earned: 0, spent: 120 })
  expect(await balanceOf(payee)).toEqual({ available: 10_120, held: 0, frozen: 0, earned: 120, spent: 0 })
  await post(release(fresh(), lease, 380))
  expect(await balanceOf(payer)).toEqual({ available: 9_880, held: 0, frozen: 0, earned: 0, spent: 120 })
  expect(await leaseBalance(db, lease.leaseId)).toBe(0)
})

test('frozen credits go into no lease, and the last freeze counts', async () => {
  const account = await newAccount('frozen')
  const lease = await newLease(account.id)
  await freeze(account.id, 9_000)
  expect(await balanceOf(account)).toMatchObject({ available: 1_000, frozen: 9_000 })
  expect(await post(refill(fresh(), lease, 1_001))).toBe('overdraft')
  expect(await post(refill(fresh(), lease, 1_000))).toBe('posted')
  // What was in a lease comes back and is frozen no less; what an operator takes is not held back.
  expect(await post(release(fresh(), lease, 400))).toBe('posted')
  expect(await post(adjustment(fresh(), account.id, -9_000, 'taken'))).toBe('posted')
  expect(await balanceOf(account)).toMatchObject({ available: 0, frozen: 400, held: 600 })
  expect(await post(refill(fresh(), lease, 1))).toBe('overdraft')
  await freeze(account.id, 0)
  expect(await post(refill(fresh(), lease, 400))).toBe('posted')
})

test('a settlement counts its usage and work once, however often it is written', async () => {
  const [payer, payee] = [await newAccount('payer'), await newAccount('payee')]
  const owner = await newLease(payer.id)
  const usage = { promptTokens: 4, cachedTokens: 1, generatedTokens: 2 }
  const job = { hostId: 'h1', payee: payee.id, network: 'public', model: 'm', usage, credits: 5 }
  const settlement = settlementOf([{ ...job, promptBytes: 9, textBytes: 8, endedAt: 7 }])
  const id = `stl_${fresh()}`
  const entry = { id, owner, keyId: 'key_1', settlement }
  // Nothing of it is counted while the lease does not cover it.
  expect(await postSettlement(db, entry, 1)).toBe('overdraft')
  await post(refill(fresh(), owner, 50))
  for (let time = 1; time <= 3; time++) expect(await postSettlement(db, entry, time)).toBe('posted')
  const lines = await env.DB.batch([
    env.DB.prepare(
      "SELECT jobs, prompt_tokens, cached_tokens, generated_tokens, credits FROM usage_daily WHERE key_id = 'key_1'",
    ),
    env.DB.prepare("SELECT jobs, prompt_bytes, text_bytes, credits FROM work_hourly WHERE host_id = 'h1'"),
  ])
  expect(lines.map(({ results }) => results)).toEqual([
    [{ jobs: 1, prompt_tokens: 4, cached_tokens: 1, generated_tokens: 2, credits: 5 }],
    [{ jobs: 1, prompt_bytes: 9, text_bytes: 8, credits: 5 }],
  ])
  expect(await availableBalance(db, payee.id)).toBe(10_005)
})

test('a lease that exists stays as it is when it is opened again, but learns its Session', async () => {
  const { id } = await newAccount('a')
  const owner: LeaseOwner = { leaseId: `lease:${fresh()}`, accountId: id }
  await runStatement(
    "INSERT INTO ledger_accounts (id, kind, owner_id) VALUES (?, 'lease', ?)",
    owner.leaseId,
    id,
  )
  await post(refill(fresh(), owner, 50))
  await openLease(db, owner, 'first', 'key_1')
  await openLease(db, owner, 'second', 'key_2')
  const row = env.DB.prepare('SELECT balance, session_name FROM ledger_accounts WHERE id = ?')
  expect(await row.bind(owner.leaseId).first()).toEqual({ balance: 50, session_name: 'first' })
})
