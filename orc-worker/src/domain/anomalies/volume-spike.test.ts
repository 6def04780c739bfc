import { expect, test } from 'vitest'
import { type HostVolume, volumeSpikes, volumeWindow } from './volume-spike.ts'

const NOW = Date.UTC(2026, 10, 22, 13, 30)
const HOUR_MS = 3_600_000
const HOUR = Date.UTC(2026, 10, 22, 12)

/** Ten hours of 20,000 tokens within a week, then ten times as many in one. */
function volume(over: Partial<HostVolume> = {}): HostVolume {
  return {
    hostId: 'a',
    tokens: 200_000,
    earlierTokens: 200_000,
    earlierHours: 10,
    firstHour: HOUR - 100 * HOUR_MS,
    ...over,
  }
}

test.for<[string, Partial<HostVolume>, boolean]>([
  ['ten times the mean is', {}, true],
  ['a little less than ten times the mean is not', { earlierTokens: 200_001 }, false],
  ['less than 200,000 tokens are not', { tokens: 199_999, earlierTokens: 100 }, false],
  ['a Host without a past is not', { earlierTokens: 0, earlierHours: 0, firstHour: null }, false],
  [
    'four hours of work within a day say too little',
    { earlierHours: 4, earlierTokens: 4_000, firstHour: HOUR - 23 * HOUR_MS },
    false,
  ],
  [
    'five hours of work within a day are enough',
    { earlierHours: 5, earlierTokens: 5_000, firstHour: HOUR - 5 * HOUR_MS },
    true,
  ],
  [
    'one hour of work a day ago is enough',
    { earlierHours: 1, earlierTokens: 1_000, firstHour: HOUR - 24 * HOUR_MS },
    true,
  ],
  ['hours in which everything was cached are a past too', { earlierTokens: 0 }, true],
])('a sudden volume: %s', ([, over, expected]) => {
  expect(volumeSpikes([volume(over)], NOW)).toHaveLength(expected ? 1 : 0)
})

test('evidence is numbers, and its id is that of the Host and the hour', () => {
  expect(volumeSpikes([volume()], NOW)).toEqual([
    {
      id: `volume_spike:a:${HOUR}`,
      kind: 'volume_spike',
      subject: 'a',
      seenAt: NOW,
      detail: { hour: HOUR, tokens: 200_000, meanTokens: 20_000, workedHours: 10 },
    },
  ])
  expect(volumeSpikes([volume()], NOW + 60_000)[0]?.id).toBe(`volume_spike:a:${HOUR}`)
})

test('the last full hour is compared with the seven days before it', () => {
  expect(volumeWindow(NOW)).toEqual({ since: HOUR - 7 * 24 * HOUR_MS, hour: HOUR })
  expect(volumeWindow(HOUR + HOUR_MS).hour).toBe(HOUR)
})
