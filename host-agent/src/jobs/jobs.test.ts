import { describe, expect, test } from 'vitest'
import { validClaims } from '../testing/token-signer.ts'
import { BudgetBook } from './budget-book.ts'
import { ReplayCache } from './replay-cache.ts'
import { type ReleaseSlot, SlotPool } from './slot-pool.ts'

const nowMs = 1_800_000_000_000
const never = new AbortController().signal

describe('replays', () => {
  test('[T5] an id is known in its Session only, until its token cannot be used any more', () => {
    const cache = new ReplayCache()
    expect(cache.add('ses_a', 'job_1', nowMs / 1000 + 60, nowMs)).toBe(true)
    expect(cache.has('ses_a', 'job_1')).toBe(true)
    expect(cache.has('ses_b', 'job_1')).toBe(false)
    cache.add('ses_b', 'job_2', nowMs / 1000 + 600, nowMs + 64_000)
    expect(cache.has('ses_a', 'job_1')).toBe(true)
    cache.add('ses_b', 'job_3', nowMs / 1000 + 600, nowMs + 65_000)
    expect(cache.has('ses_a', 'job_1')).toBe(false)
    expect(cache.has('ses_b', 'job_2')).toBe(true)
  })

  test('[T5] a full cache refuses rather than forgets', () => {
    const cache = new ReplayCache(2)
    const exp = nowMs / 1000 + 60
    expect([1, 2, 3].map((id) => cache.add('ses_a', `job_${id}`, exp, nowMs))).toEqual([true, true, false])
    expect(cache.has('ses_a', 'job_1')).toBe(true)
    cache.remove('ses_a', 'job_1')
    expect(cache.add('ses_a', 'job_3', exp, nowMs)).toBe(true)
    expect(cache.add('ses_b', 'job_4', exp, nowMs + 66_000)).toBe(true)
  })
})

describe('budgets', () => {
  const claims = { ...validClaims('h'.repeat(43), 'https://orc.test', nowMs), budget: 100 }

  test('[T4] what is set aside is not there for others, what is not used comes back', () => {
    const book = new BudgetBook()
    const first = book.reserve(claims, 70, nowMs)
    expect(first).toBeDefined()
    expect(book.reserve(claims, 31, nowMs)).toBeUndefined()
    expect(book.reserve({ ...claims, jti: 'other' }, 100, nowMs)).toBeDefined()
    first?.settle(20)
    expect(book.left(claims)).toBe(80)
    expect(book.reserve(claims, 80, nowMs)).toBeDefined()
    expect(book.left(claims)).toBe(0)
  })

  test('[T6] a token that expires while a job runs keeps its account until the job ends', () => {
    const book = new BudgetBook()
    const running = book.reserve(claims, 70, nowMs)
    const later = (claims.exp + 60) * 1000
    book.reserve({ ...claims, jti: 'other', exp: claims.exp + 600 }, 1, later)
    expect(book.left(claims)).toBe(30)
    running?.settle(70)
    book.reserve({ ...claims, jti: 'third', exp: claims.exp + 600 }, 1, later)
    expect(book.left(claims)).toBe(100)
  })
})

describe('slots', () => {
  test('first come, first served; beyond the queue busy; a slot counts once', async () => {
    const pool = new SlotPool(1, 2)
    const first = (await pool.acquire(never)) as ReleaseSlot
    const order: string[] = []
    const wait = async (name: string): Promise<void> => {
      const slot = await pool.acquire(never)
      order.push(name)
      if (typeof slot === 'function') slot()
    }
    const waiting = [wait('second'), wait('third')]
    expect(pool.full).toBe(true)
    expect(await pool.acquire(never)).toBe('busy')
    first()
    first()
    await Promise.all(waiting)
    expect(order).toEqual(['second', 'third'])
    expect(pool.free).toBe(1)
  })

  test('waiting can be ended, and the next one moves up', async () => {
    const pool = new SlotPool(1, 2)
    const first = (await pool.acquire(never)) as ReleaseSlot
    const abort = new AbortController()
    const ended = pool.acquire(abort.signal)
    const next = pool.acquire(never)
    abort.abort()
    expect(await ended).toBe('ended')
    first()
    expect(typeof (await next)).toBe('function')
    expect(pool.free).toBe(0)
  })
})
