import { expect, test } from 'vitest'
import { GrantLimit } from './grant-limit.ts'

const MINUTE = 60_000
const grant = (): object => ({})

test('the first other grant may follow at once, then each wait is twice as long, up to five minutes', () => {
  const limit = new GrantLimit()
  const waits: number[] = []
  for (let now = 0; waits.length < 9; now += 20 * MINUTE) {
    expect(limit.mayAsk(now)).toBe(true)
    limit.granted(grant(), now)
    let wait = 0
    while (!limit.mayAsk(now + wait)) wait += 5_000
    waits.push(wait / 1_000)
  }
  expect(waits).toEqual([0, 10, 20, 40, 80, 160, 300, 300, 300])
})

test('three without an answer are the most, until the credits of one are back', () => {
  const limit = new GrantLimit()
  for (const now of [0, 0, MINUTE]) limit.granted(grant(), now)
  expect(limit.mayAsk(20 * MINUTE - 1)).toBe(false)
  expect(limit.mayAsk(20 * MINUTE)).toBe(true)
})

test('those that brought answers do not count, until their Host fails', () => {
  const limit = new GrantLimit()
  const grants = Array.from({ length: 10 }, grant)
  for (const one of grants) {
    expect(limit.mayAsk(0)).toBe(true)
    limit.granted(one, 0)
    limit.answered(one)
  }
  for (const one of grants.slice(0, 3)) limit.failed(one, 0)
  expect(limit.mayAsk(0)).toBe(false)
  limit.answered(grants[0]!)
  expect(limit.mayAsk(0)).toBe(true)
})
