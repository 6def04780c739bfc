import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { Coverage } from './coverage.ts'

const SIZE = 64
const range = fc
  .tuple(fc.nat(SIZE), fc.nat(SIZE))
  .map(([a, b]) => ({ start: Math.min(a, b), end: Math.max(a, b) }))

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

function numbers(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, index) => start + index)
}
