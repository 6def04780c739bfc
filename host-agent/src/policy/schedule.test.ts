import type { ScheduleWindow } from '@daisi/protocol'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Schedule } from './schedule.ts'

const ownZone = process.env['TZ']

beforeAll(() => {
  // Summer time begins on Sunday 2026-03-29 at 02:00 and ends on Sunday 2026-10-25 at 03:00.
  process.env['TZ'] = 'Europe/Berlin'
  expect(new Date('2026-07-01T12:00:00Z').getHours()).toBe(14)
})
afterAll(() => {
  if (ownZone === undefined) delete process.env['TZ']
  else process.env['TZ'] = ownZone
})

const week: ScheduleWindow['days'] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']
const every = (from: string, to: string): Schedule => new Schedule([{ days: week, from, to }])
const office = new Schedule([{ days: ['mon', 'fri'], from: '09:00', to: '17:30' }])
const weekendNights = new Schedule([{ days: ['fri', 'sat'], from: '22:00', to: '06:00' }])

test.each<[string, Schedule, string, boolean]>([
  ['no windows', new Schedule([]), '2026-06-03T03:00', true],
  ['before it begins', office, '2026-06-01T08:59:59.999', false],
  ['as it begins', office, '2026-06-01T09:00', true],
  ['before it ends', office, '2026-06-01T17:29:59.999', true],
  ['as it ends', office, '2026-06-01T17:30', false],
  ['another day', office, '2026-06-02T12:00', false],
  ['the evening of a night', weekendNights, '2026-06-05T22:00', true],
  ['its morning', weekendNights, '2026-06-06T05:59', true],
  ['the morning of a first day', weekendNights, '2026-06-05T05:00', false],
  ['the morning after Saturday', weekendNights, '2026-06-07T05:59', true],
  ['after it', weekendNights, '2026-06-07T06:00', false],
  ['both equal', new Schedule([{ days: ['wed'], from: '10:00', to: '10:00' }]), '2026-06-03T00:00', true],
  ['and no longer', new Schedule([{ days: ['wed'], from: '10:00', to: '10:00' }]), '2026-06-04T00:00', false],
  ['to the end of a day', every('18:00', '24:00'), '2026-06-03T23:59', true],
  ['to midnight', every('18:00', '00:00'), '2026-06-04T00:00', false],
  ['two windows', new Schedule([...night('mon'), ...night('tue')]), '2026-06-02T23:00', true],
])('%s', (_, schedule, time, open) => {
  expect(schedule.isOpen(new Date(time))).toBe(open)
})

function night(day: 'mon' | 'tue'): ScheduleWindow[] {
  return [{ days: [day], from: '22:00', to: '02:00' }]
}

test.each<[string, Schedule, string, string | undefined]>([
  ['never', new Schedule([]), '2026-06-03T03:00+02:00', undefined],
  ['never with a window for all', every('00:00', '24:00'), '2026-06-03T03:00+02:00', undefined],
  ['the next minute at the latest', office, '2026-06-01T08:59:59.999+02:00', '2026-06-01T09:00+02:00'],
  ['the end', office, '2026-06-01T09:00+02:00', '2026-06-01T17:30+02:00'],
  ['over days', office, '2026-06-01T17:30+02:00', '2026-06-05T09:00+02:00'],
  ['over the week', office, '2026-06-05T18:00+02:00', '2026-06-08T09:00+02:00'],
  ['not at midnight within a night', weekendNights, '2026-06-05T23:00+02:00', '2026-06-06T06:00+02:00'],
  [
    'a night that is an hour shorter',
    every('22:00', '06:00'),
    '2026-03-28T22:00+01:00',
    '2026-03-29T06:00+02:00',
  ],
  [
    'a night that is an hour longer',
    every('22:00', '06:00'),
    '2026-10-24T22:00+02:00',
    '2026-10-25T06:00+01:00',
  ],
  [
    'what begins in the hour left out',
    every('02:30', '05:00'),
    '2026-03-29T01:00+01:00',
    '2026-03-29T03:00+02:00',
  ],
  [
    'what lies in it, a day later',
    every('02:10', '02:40'),
    '2026-03-29T01:00+01:00',
    '2026-03-30T02:10+02:00',
  ],
  [
    'what lies in it on this weekday only, a week later',
    new Schedule([{ days: ['sun'], from: '02:10', to: '02:40' }]),
    '2026-03-29T01:00+01:00',
    '2026-04-05T02:10+02:00',
  ],
  ['the first of two', every('01:00', '02:30'), '2026-10-25T01:00+02:00', '2026-10-25T02:30+02:00'],
  [
    'open again as the clock is put back',
    every('01:00', '02:30'),
    '2026-10-25T02:30+02:00',
    '2026-10-25T02:00+01:00',
  ],
])('changes: %s', (_, schedule, time, change) => {
  expect(schedule.nextChange(new Date(time))).toEqual(change === undefined ? undefined : new Date(change))
})

test('between two changes nothing changes', () => {
  for (const schedule of [office, weekendNights, every('02:30', '05:00')]) {
    let at = new Date('2026-03-25T00:00:00Z')
    for (let count = 0; count < 10; count++) {
      const next = schedule.nextChange(at)!
      for (const time of [at.getTime(), (at.getTime() + next.getTime()) / 2, next.getTime() - 1])
        expect(schedule.isOpen(new Date(time))).toBe(schedule.isOpen(at))
      expect(schedule.isOpen(next)).toBe(!schedule.isOpen(at))
      at = next
    }
  }
})
