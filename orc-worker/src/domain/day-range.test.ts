import { expect, test } from 'vitest'
import { dayRange, rangeMilliseconds } from './day-range.ts'

const now = Date.UTC(2026, 2, 15, 23, 59)

test.for([
  ['the last thirty days', {}, { from: '2026-02-14', to: '2026-03-15' }],
  ['until today', { from: '2026-03-01' }, { from: '2026-03-01', to: '2026-03-15' }],
  ['thirty days before a given end', { to: '2025-03-01' }, { from: '2025-01-31', to: '2025-03-01' }],
  ['one day', { from: '2026-03-01', to: '2026-03-01' }, { from: '2026-03-01', to: '2026-03-01' }],
  ['a leap year', { from: '2024-01-01', to: '2024-12-31' }, { from: '2024-01-01', to: '2024-12-31' }],
] as const)('a report covers %s', ([, asked, range]) => {
  expect(dayRange(asked, now)).toEqual({ ok: true, range })
})

test.for([
  ['ends before it starts', { from: '2026-03-02', to: '2026-03-01' }, 'to'],
  ['starts tomorrow', { from: '2026-03-16' }, 'to'],
  ['ends before there were computers', { to: '0000-01-01' }, 'to'],
  ['is longer than a leap year', { from: '2025-01-01', to: '2026-01-02' }, 'from'],
] as const)('a report that %s is refused', ([, asked, param]) => {
  expect(dayRange(asked, now)).toMatchObject({ ok: false, param })
})

test('a range in milliseconds includes its last day', () => {
  expect(rangeMilliseconds({ from: '2026-03-01', to: '2026-03-02' })).toEqual({
    start: Date.UTC(2026, 2, 1),
    end: Date.UTC(2026, 2, 3),
  })
})
