import { expect, test } from 'vitest'
import type { PermitAnswer } from '../../domain/token-bucket.ts'
import { type FetchPermits, PermitStock } from './permit-stock.ts'

const NOW = 1_800_000_000_000

/** A limiter that has so many permits and answers when it is told to. */
class Limiter {
  left: number
  readonly asked: { wanted: number; least: number; returned: number }[] = []
  readonly #waiting: (() => void)[] = []
  constructor(left: number) {
    this.left = left
  }
  readonly fetch: FetchPermits = async (demand): Promise<PermitAnswer> => {
    const { wanted, least, returned } = demand
    this.asked.push(demand)
    await new Promise<void>((resolve) => this.#waiting.push(resolve))
    this.left += returned
    if (this.left < least) return { granted: 0, retryAfterMs: 500 }
    const granted = Math.min(wanted, this.left)
    this.left -= granted
    return { granted, retryAfterMs: 0 }
  }
  async answer(): Promise<void> {
    for (const resolve of this.#waiting.splice(0)) resolve()
    await new Promise((resolve) => setTimeout(resolve))
  }
}

test('[Y2] at an even pace no call waits, and the limiter is asked ever more seldom', async () => {
  const limiter = new Limiter(1_000_000)
  const stock = new PermitStock(limiter.fetch)
  for (let call = 0; call < 2_000; call++) {
    // Settles with the limiter silent: nothing was waited for.
    expect(await stock.take(NOW + call * 10)).toBeUndefined()
    await limiter.answer()
  }
  expect(limiter.asked.length).toBeLessThan(25)
  // Counted in full: what was taken is used or still at hand.
  expect(1_000_000 - limiter.left).toBeGreaterThanOrEqual(2_000)
  expect(1_000_000 - limiter.left).toBeLessThanOrEqual(2_000 + 512)
})

test('[Y2] of many calls at once one goes ahead and the others wait for the limiter', async () => {
  const limiter = new Limiter(3)
  const stock = new PermitStock(limiter.fetch)
  const verdicts = Array.from({ length: 10 }, () => stock.take(NOW))
  expect(await verdicts[0]).toBeUndefined()
  for (let rounds = 0; rounds < 10; rounds++) await limiter.answer()
  const refused = (await Promise.all(verdicts)).filter((verdict) => verdict !== undefined)
  expect(refused).toEqual(Array.from({ length: refused.length }, () => 500))
  // One more than there were: the call that found the limiter empty went ahead.
  expect(10 - refused.length).toBeGreaterThanOrEqual(2)
  expect(10 - refused.length).toBeLessThanOrEqual(4)
})

test('[Y2] a refusal is remembered for as long as it says, and the limiter is left alone', async () => {
  const limiter = new Limiter(0)
  const stock = new PermitStock(limiter.fetch)
  await stock.take(NOW)
  await limiter.answer()
  expect(await stock.take(NOW + 100)).toBe(400)
  expect(await stock.take(NOW + 499)).toBe(1)
  expect(limiter.asked).toHaveLength(1)
  limiter.left = 10
  const later = stock.take(NOW + 500)
  await limiter.answer()
  expect(await later).toBeUndefined()
  expect(limiter.asked[1]).toMatchObject({ least: 2 })
})

test('[Y2] a refused account gets no more than one request unpaid, however often it comes back', async () => {
  const limiter = new Limiter(0)
  const stock = new PermitStock(limiter.fetch)
  let allowed = 0
  for (let call = 0; call < 50; call++) {
    const verdict = stock.take(NOW + call * 600)
    await limiter.answer()
    if ((await verdict) === undefined) allowed++
  }
  expect(allowed).toBe(1)
  // What is owed is paid first.
  limiter.left = 3
  const before = limiter.asked.length
  const verdict = stock.take(NOW + 60_000)
  await limiter.answer()
  expect(await verdict).toBeUndefined()
  expect(limiter.asked[before]).toMatchObject({ least: 2 })
})

test('[Y2] what nobody used goes back', async () => {
  const limiter = new Limiter(100)
  const stock = new PermitStock(limiter.fetch)
  for (let call = 0; call < 20; call++) {
    await stock.take(NOW)
    await limiter.answer()
  }
  const before = limiter.asked.length
  await stock.take(NOW + 60_000)
  await limiter.answer()
  const goesBack = limiter.asked.slice(before)
  expect(goesBack).toMatchObject([{ returned: expect.any(Number) }])
  expect(goesBack.every(({ returned }) => returned > 0)).toBe(true)
  // 21 calls, and no more than the last few permits that are still at hand.
  expect(100 - limiter.left).toBeLessThanOrEqual(21 + Math.max(...goesBack.map(({ wanted }) => wanted)))
})

test('where nobody can be asked, nobody is refused', async () => {
  const stock = new PermitStock(async () => undefined)
  for (let call = 0; call < 100; call++) expect(await stock.take(NOW)).toBeUndefined()
})
