import { expect, test } from 'vitest'
import { BucketShelf } from './bucket-shelf.ts'

const rate = { perMinute: 10, burst: 10 }
const NOW = 1_800_000_000_000

test('[Y1] each name has its own permits', () => {
  const shelf = new BucketShelf()
  for (let taken = 0; taken < 10; taken++) expect(shelf.take('one', rate, NOW).granted).toBe(1)
  expect(shelf.take('one', rate, NOW)).toEqual({ granted: 0, retryAfterMs: 6_000 })
  expect(shelf.take('two', rate, NOW).granted).toBe(1)
})

test('[Y6] many names need no more memory than a shelf has', () => {
  const shelf = new BucketShelf(100, { perMinute: 1_000_000_000, burst: 1_000_000 })
  for (let name = 0; name < 10_000; name++) shelf.take(`name-${name}`, rate, NOW)
  expect(shelf.size).toBe(100)
})

test('[Y6] many names share what newcomers have, and those that are known do not feel them', () => {
  const shelf = new BucketShelf(100, { perMinute: 60, burst: 20 })
  shelf.take('known', rate, NOW)
  let granted = 0
  for (let name = 0; name < 1_000; name++) {
    granted += shelf.take(`name-${name}`, rate, NOW).granted
    if (name % 50 === 0) shelf.take('known', rate, NOW, 0)
  }
  // 99 found room and 20 pushed others out.
  expect(granted).toBe(119)
  expect(shelf.take('another', rate, NOW)).toEqual({ granted: 0, retryAfterMs: 1_000 })
  expect(shelf.take('known', rate, NOW).granted).toBe(1)
})

test('[Y6] nobody who is pushed out gains by it while others are served', () => {
  const shelf = new BucketShelf(2, { perMinute: 1, burst: 1 })
  shelf.take('one', rate, NOW, 10)
  shelf.take('two', rate, NOW)
  expect(shelf.take('three', rate, NOW).granted).toBe(1)
  // `one` is forgotten and would be full again: it is a newcomer.
  expect(shelf.take('one', rate, NOW).granted).toBe(0)
})

test('[Y6] a bucket that is full again makes room for nothing', () => {
  const shelf = new BucketShelf(2, { perMinute: 1, burst: 1 })
  shelf.take('one', rate, NOW, 10)
  shelf.take('two', rate, NOW, 10)
  const take = (name: string): number => shelf.take(name, rate, NOW + 60_000).granted
  expect(['three', 'four'].map(take)).toEqual([1, 1])
  // Nothing of what newcomers share is gone yet.
  expect(['five', 'six'].map(take)).toEqual([1, 0])
  expect(shelf.size).toBe(2)
})

test('what is given back to one that is forgotten is no loss', () => {
  const shelf = new BucketShelf()
  shelf.giveBack('nobody', rate, NOW, 5)
  expect(shelf.size).toBe(0)
  shelf.take('one', rate, NOW, 10)
  shelf.giveBack('one', rate, NOW, 5)
  expect(shelf.take('one', rate, NOW, 10).granted).toBe(5)
})
