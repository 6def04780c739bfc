import { describe, expect, test } from 'vitest'
import { validClaims } from '../testing/token-signer.ts'
import { BudgetBook } from './budget-book.ts'
import { ReplayCache } from './replay-cache.ts'
import { type ReleaseSlot, SlotPool } from './slot-pool.ts'
import { WorkLog } from './work-log.ts'

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

describe('whose turn it is', () => {
  test("the owner's jobs go before others that wait, in their own order, and behind those that run", async () => {
    const pool = new SlotPool(1, 4)
    const first = (await pool.acquire(never)) as ReleaseSlot
    const order: string[] = []
    const wait = async (name: string, isFirst: boolean): Promise<void> => {
      const slot = await pool.acquire(never, isFirst)
      order.push(name)
      if (typeof slot === 'function') slot()
    }
    const waiting = [wait('stranger', false), wait('own 1', true), wait('other', false), wait('own 2', true)]
    expect(pool.waiting).toBe(4)
    first()
    await Promise.all(waiting)
    expect(order).toEqual(['own 1', 'own 2', 'stranger', 'other'])
  })

  test('a lower limit lets running jobs end, a higher one lets waiting ones begin', async () => {
    const pool = new SlotPool(2, 2)
    const running = [await pool.acquire(never), await pool.acquire(never)] as ReleaseSlot[]
    pool.limit(1)
    expect([pool.total, pool.free]).toEqual([1, 0])
    let began = false
    const waiting = pool.acquire(never).then(() => (began = true))
    running[0]!()
    await Promise.resolve()
    expect(began).toBe(false)
    pool.limit(null)
    await waiting
    expect([pool.total, pool.free]).toEqual([2, 0])
    pool.limit(9)
    expect(pool.total).toBe(2)
  })
})

describe('the work log', () => {
  test('counts what ends, what runs, and the tokens of the last whole seconds', () => {
    const log = new WorkLog()
    const item = { model: 'a', kind: 'chat', own: false } as const
    const usage = { promptTokens: 10, cachedTokens: 4, generatedTokens: 20 }
    const heard: unknown[] = []
    const stop = log.listen({ ended: (done) => heard.push(done.outcome) })
    log.began(item)
    log.began(item)
    expect(log.running('a')).toBe(2)
    for (const nowMs of [1_000, 2_500, 2_600]) log.generated(10, nowMs)
    log.ended({ ...item, outcome: 'completed', usage, durationMs: 5 })
    stop()
    log.ended({ ...item, outcome: 'failed', usage, durationMs: 5 })
    expect(log.running('a')).toBe(0)
    expect(heard).toEqual(['completed'])
    expect(log.totals).toEqual({
      jobs: 2,
      failedJobs: 1,
      promptTokens: 20,
      cachedTokens: 8,
      generatedTokens: 40,
    })
    expect(log.tokensPerSecond(3_000)).toBe(6)
    expect(log.tokensPerSecond(7_000)).toBe(4)
    expect(log.tokensPerSecond(9_000)).toBe(0)
  })
})
