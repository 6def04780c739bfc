import { expect, test } from 'vitest'
import { parseRateLimits } from '../../domain/rate-limits.ts'
import { MessageLimits } from './message-limits.ts'

const NOW = 1_800_000_000_000

test('[Y4] control messages and frames are counted apart, and come back with time', () => {
  const limits = new MessageLimits({
    host_messages: { perMinute: 60, burst: 3 },
    host_words: null,
    host_frames: { perMinute: 600, burst: 5 },
  })
  const messages = [0, 0, 0, 0, 999, 1_000, 1_000].map((later) =>
    limits.exceeds('host_messages', NOW + later),
  )
  expect(messages).toEqual([false, false, false, true, true, false, true])
  const frames = Array.from({ length: 6 }, () => limits.exceeds('host_frames', NOW))
  expect(frames).toEqual([false, false, false, false, false, true])
})

test('[Y4] a Host with a hundred Jobs at full speed stays within the defaults', () => {
  const limits = new MessageLimits(parseRateLimits(''))
  // Rules F4 and H4: 25 frames a second for each Job, five words on presence.
  for (let second = 0; second < 60; second++) {
    const at = NOW + second * 1000
    for (let frame = 0; frame < 2_500; frame++) expect(limits.exceeds('host_frames', at)).toBe(false)
    for (let status = 0; status < 5; status++) {
      expect(limits.exceeds('host_messages', at)).toBe(false)
      expect(limits.exceeds('host_words', at)).toBe(false)
    }
  }
})
