import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ManualClock } from '../testing/manual-clock.ts'
import { Coverage } from './coverage.ts'
import { type DownloadProgress, ProgressMeter } from './progress-meter.ts'

const SIZE = 64
const range = fc
  .tuple(fc.nat(SIZE), fc.nat(SIZE))
  .map(([a, b]) => ({ start: Math.min(a, b), end: Math.max(a, b) }))

describe('the coverage of a file', () => {
  test('what was added and what is missing are together the file, each byte once', () => {
    fc.assert(
      fc.property(
        fc.array(range, { maxLength: 12 }),
        fc.integer({ min: 1, max: SIZE }),
        (added, pieceBytes) => {
          const bytes = new Set(added.flatMap(({ start, end }) => numbers(start, end)))
          const coverage = new Coverage(added)
          expect(coverage.ranges.flatMap(({ start, end }) => numbers(start, end))).toEqual(
            [...bytes].toSorted((a, b) => a - b),
          )
          expect(coverage.bytes).toBe(bytes.size)
          for (const [index, { start }] of coverage.ranges.entries())
            expect(start).toBeGreaterThan(coverage.ranges[index - 1]?.end ?? -1)
          const missing = [...coverage.missing(SIZE, pieceBytes)]
          for (const { start, end } of missing) {
            expect(end).toBeGreaterThan(start)
            expect(end - start).toBeLessThanOrEqual(pieceBytes)
          }
          const rest = missing.flatMap(({ start, end }) => numbers(start, end))
          expect([...rest, ...bytes].toSorted((a, b) => a - b)).toEqual(numbers(0, SIZE))
        },
      ),
    )
  })

  test('what is forgotten from a position on is missing', () => {
    fc.assert(
      fc.property(fc.array(range, { maxLength: 12 }), fc.nat(SIZE), (added, position) => {
        const coverage = new Coverage(added)
        const before = coverage.ranges.flatMap(({ start, end }) => numbers(start, end))
        coverage.removeFrom(position)
        expect(coverage.ranges.flatMap(({ start, end }) => numbers(start, end))).toEqual(
          before.filter((byte) => byte < position),
        )
      }),
    )
  })
})

describe('progress', () => {
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
})

function start(): { clock: ManualClock; meter: ProgressMeter; seen: DownloadProgress[] } {
  const clock = new ManualClock()
  const seen: DownloadProgress[] = []
  const meter = new ProgressMeter(clock, 200, (progress) => seen.push(progress))
  meter.begin('downloading', 1_000, 11_000)
  return { clock, meter, seen }
}

function numbers(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, index) => start + index)
}
