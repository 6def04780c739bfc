import { expect, test } from 'vitest'
import { periodEnd, periodStart } from './budget-period.ts'

test.for([
  ['day', '2026-03-01T00:00:00.000Z', '2026-03-01', '2026-03-02'],
  ['day', '2026-02-28T23:59:59.999Z', '2026-02-28', '2026-03-01'],
  // The 23rd of November 2026 is a Monday.
  ['week', '2026-11-23T00:00:00.000Z', '2026-11-23', '2026-11-30'],
  ['week', '2026-11-22T23:59:59.999Z', '2026-11-16', '2026-11-23'],
  ['week', '2026-01-01T12:00:00.000Z', '2025-12-29', '2026-01-05'],
  ['month', '2026-12-31T23:59:59.999Z', '2026-12-01', '2027-01-01'],
  ['month', '2028-02-29T00:00:00.000Z', '2028-02-01', '2028-03-01'],
] as const)('the %s of %s', ([period, time, start, end]) => {
  const now = Date.parse(time)
  expect(periodStart(period, now)).toBe(start)
  expect(periodEnd(period, now)).toBe(Date.parse(`${end}T00:00:00Z`))
})

test('a budget without a period never starts anew', () => {
  expect([periodStart(null, Date.now()), periodEnd(null, Date.now())]).toEqual(['', null])
})
