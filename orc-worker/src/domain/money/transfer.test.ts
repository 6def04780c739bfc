import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { adjustment, grant, leaseIdOf, payment, refill, release } from './transfer.ts'

const RUNS = { seed: 20_255, numRuns: 200 }

const owner = { leaseId: leaseIdOf('ses_1'), accountId: 'acc_consumer' }
const credits = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })
const id = fc.uuid()

test('a lease has its own account in the book', () => {
  expect(leaseIdOf('ses_1')).toBe('lease:ses_1')
})

test.for([
  [
    'a grant comes out of nothing',
    grant('acc_new', 500),
    { id: 'grant:acc_new', debit: 'sys_grant', credit: 'acc_new', payer: 'sys_grant', payee: 'acc_new' },
    { amount: 500, reason: 'grant' },
  ],
  [
    'an operator gives',
    adjustment('adj_1', 'acc_poor', 30, 'a promise'),
    { id: 'adjust:adj_1', debit: 'sys_adjust', credit: 'acc_poor', payer: 'sys_adjust', payee: 'acc_poor' },
    { amount: 30, reason: 'adjust', note: 'a promise' },
  ],
  [
    'an operator takes',
    adjustment('adj_2', 'acc_rich', -30, 'a fault'),
    { id: 'adjust:adj_2', debit: 'acc_rich', credit: 'sys_adjust', payer: 'acc_rich', payee: 'sys_adjust' },
    { amount: 30, reason: 'adjust', note: 'a fault' },
  ],
  [
    'a refill stays with its owner',
    refill('1', owner, 20),
    {
      id: 'lease:1',
      debit: 'acc_consumer',
      credit: 'lease:ses_1',
      payer: 'acc_consumer',
      payee: 'acc_consumer',
    },
    { amount: 20, reason: 'lease' },
  ],
  [
    'a release returns to its owner',
    release('2', owner, 20),
    {
      id: 'release:2',
      debit: 'lease:ses_1',
      credit: 'acc_consumer',
      payer: 'acc_consumer',
      payee: 'acc_consumer',
    },
    { amount: 20, reason: 'release' },
  ],
  [
    'a payment leaves the lease in the name of its owner',
    payment('stl_1', owner, 'acc_host', 20),
    {
      id: 'settle:stl_1:acc_host',
      debit: 'lease:ses_1',
      credit: 'acc_host',
      payer: 'acc_consumer',
      payee: 'acc_host',
    },
    { amount: 20, reason: 'settle' },
  ],
] as const)('%s', ([, transfer, sides, rest]) => {
  expect(transfer).toEqual({ ...sides, ...rest })
})

test('the payments of one settlement have an id each', () => {
  const ids = ['acc_a', 'acc_b'].map((payee) => payment('stl_1', owner, payee, 1).id)
  expect(new Set(ids).size).toBe(2)
})

test('an account is granted credits once, whatever the amount', () => {
  expect(grant('acc_new', 1).id).toBe(grant('acc_new', 2).id)
})

test('every movement has an amount above zero and two sides', () => {
  fc.assert(
    fc.property(id, id, credits, fc.boolean(), (id, other, amount, taken) => {
      const transfers = [
        grant(other, amount),
        adjustment(id, other, taken ? -amount : amount, 'a reason'),
        refill(id, owner, amount),
        release(id, owner, amount),
        payment(id, owner, other, amount),
      ]
      for (const transfer of transfers) {
        expect(transfer.amount).toBe(amount)
        expect(transfer.debit).not.toBe(transfer.credit)
      }
      expect(new Set(transfers.map((transfer) => transfer.id)).size).toBe(transfers.length)
    }),
    RUNS,
  )
})

test('what an operator gives and takes again ends where it began', () => {
  fc.assert(
    fc.property(id, credits, (accountId, amount) => {
      const given = adjustment('1', accountId, amount, 'given')
      const taken = adjustment('2', accountId, -amount, 'taken')
      expect([taken.debit, taken.credit]).toEqual([given.credit, given.debit])
      expect(taken.amount).toBe(given.amount)
    }),
    RUNS,
  )
})

test('a release undoes a refill', () => {
  const [there, back] = [refill('1', owner, 5), release('2', owner, 5)]
  expect([back.debit, back.credit, back.amount]).toEqual([there.credit, there.debit, there.amount])
})
