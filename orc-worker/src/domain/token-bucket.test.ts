import { expect, test } from 'vitest'
import { fullBucket, giveBack, isFull, retryAfterSeconds, take } from './token-bucket.ts'

const rate = { perMinute: 60, burst: 10 }
const NOW = 1_800_000_000_000

test('[Y5] the burst is there at once, and then what comes back with time', () => {
  let bucket = fullBucket(rate, NOW)
  for (let taken = 0; taken < 10; taken++) {
    const step = take(bucket, rate, NOW)
    expect(step.granted).toBe(1)
    bucket = step.bucket
  }
  expect(take(bucket, rate, NOW)).toMatchObject({ granted: 0, retryAfterMs: 1_000 })
  expect(take(bucket, rate, NOW + 400)).toMatchObject({ granted: 0, retryAfterMs: 600 })
  expect(take(bucket, rate, NOW + 999).granted).toBe(0)
  expect(take(bucket, rate, NOW + 1_000).granted).toBe(1)
  expect(take(bucket, rate, NOW + 3_600_000, 100).granted).toBe(10)
})

test('[Y5] whoever waits as long as was said finds a permit', () => {
  const slow = { perMinute: 7, burst: 3 }
  let { bucket } = take(fullBucket(slow, NOW), slow, NOW, 3)
  for (let now = NOW; now < NOW + 60_000; now += 137) {
    const { granted, retryAfterMs, bucket: after } = take(bucket, slow, now)
    if (granted === 0) expect(take(bucket, slow, now + retryAfterMs).granted).toBe(1)
    bucket = after
  }
})

test('a refusal costs nothing, however often it is heard', () => {
  let { bucket } = take(fullBucket(rate, NOW), rate, NOW, 10)
  for (let now = NOW; now < NOW + 1_000; now += 10) bucket = take(bucket, rate, now).bucket
  expect(take(bucket, rate, NOW + 1_000).granted).toBe(1)
})

test('no more than was asked for and than there is, or none if that is too few', () => {
  const { bucket } = take(fullBucket(rate, NOW), rate, NOW, 6)
  expect(take(bucket, rate, NOW, 3, 2).granted).toBe(3)
  expect(take(bucket, rate, NOW, 100, 2).granted).toBe(4)
  expect(take(bucket, rate, NOW, 100, 5)).toMatchObject({ granted: 0, retryAfterMs: 1_000 })
  // More than the burst can never be there: the burst must do.
  expect(take(bucket, rate, NOW + 60_000, 100, 50).granted).toBe(10)
})

test('what is given back is there again, and never more than the burst', () => {
  const { bucket } = take(fullBucket(rate, NOW), rate, NOW, 10)
  expect(take(giveBack(bucket, rate, NOW, 4), rate, NOW, 10).granted).toBe(4)
  expect(take(giveBack(bucket, rate, NOW, 400), rate, NOW, 100).granted).toBe(10)
  expect([isFull(bucket, rate, NOW + 9_999), isFull(bucket, rate, NOW + 10_000)]).toEqual([false, true])
})

test('a clock that goes back gives nothing, now or later', () => {
  const { bucket } = take(fullBucket(rate, NOW), rate, NOW, 10)
  const { granted, bucket: after } = take(bucket, rate, NOW - 60_000)
  expect(granted).toBe(0)
  expect(take(after, rate, NOW).granted).toBe(0)
})

test('[Y5] seconds are rounded up', () => {
  expect([0, 1, 1_000, 1_001, 59_999].map(retryAfterSeconds)).toEqual([1, 1, 1, 2, 60])
})
