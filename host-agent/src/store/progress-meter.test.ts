import { expect, test } from 'vitest'
import { ManualClock } from '../testing/manual-clock.ts'
import { type DownloadProgress, ProgressMeter } from './progress-meter.ts'

function start(): { clock: ManualClock; meter: ProgressMeter; seen: DownloadProgress[] } {
  const clock = new ManualClock()
  const seen: DownloadProgress[] = []
  const meter = new ProgressMeter(clock, 200, (progress) => seen.push(progress))
  meter.begin('downloading', 1_000, 11_000)
  return { clock, meter, seen }
}

test('speed and remaining time count from what was there at the start', () => {
  const { clock, meter, seen } = start()
  expect(seen).toEqual([{ phase: 'downloading', bytes: 1_000, totalBytes: 11_000, bytesPerSecond: 0 }])
  clock.advance(1_000)
  meter.update(2_000)
  expect(seen[1]).toMatchObject({ bytes: 2_000, bytesPerSecond: 1_000, etaSeconds: 9 })
})

test('is told now and then, and always at the end', () => {
  const { clock, meter, seen } = start()
  for (let bytes = 1_100; bytes <= 11_000; bytes += 100) {
    clock.advance(10)
    meter.update(bytes)
  }
  expect(seen.length).toBeLessThan(8)
  expect(seen.at(-1)).toMatchObject({ bytes: 11_000, etaSeconds: 0 })
})

test('the speed of long ago does not count, nor what came before a new start', () => {
  const { clock, meter, seen } = start()
  clock.advance(1_000)
  meter.update(9_000)
  for (let second = 0; second < 6; second++) {
    clock.advance(1_000)
    meter.update(9_000 + second)
  }
  expect(seen.at(-1)?.bytesPerSecond).toBeLessThan(10)
  clock.advance(1_000)
  meter.update(0)
  expect(seen.at(-1)).toMatchObject({ bytes: 0, bytesPerSecond: 0 })
})
