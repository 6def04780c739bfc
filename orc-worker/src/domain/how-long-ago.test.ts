import { expect, test } from 'vitest'
import { howLongAgo } from './how-long-ago.ts'

test.each([
  [0, '0 seconds ago'],
  [1_000, '1 second ago'],
  [59_400, '59 seconds ago'],
  [60_000, '1 minute ago'],
  [119_000, '1 minute ago'],
  [600_000, '10 minutes ago'],
  [-5_000, '0 seconds ago'],
])('%i ms are %s', (elapsed, words) => {
  expect(howLongAgo(1_000_000, 1_000_000 + elapsed)).toBe(words)
})
