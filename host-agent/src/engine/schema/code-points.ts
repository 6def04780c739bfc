/** A set of Unicode code points: ascending ranges, both ends included, with a gap between each two. */
export type CodePoints = readonly (readonly [first: number, last: number])[]

/** Every character that UTF-8 can carry. */
export const ALL_CODE_POINTS: CodePoints = [
  [0, 0xd7ff],
  [0xe000, 0x10ffff],
]

/** All code points of the given ranges, in whatever order they are. */
export function codePoints(ranges: CodePoints): CodePoints {
  const joined: [number, number][] = []
  for (const [first, last] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const previous = joined.at(-1)
    if (previous !== undefined && first <= previous[1] + 1) previous[1] = Math.max(previous[1], last)
    else joined.push([first, last])
  }
  return joined
}

/** The code points of a text. */
export function codePointsOf(text: string): CodePoints {
  return codePoints(
    Array.from(text, (character) => {
      const point = character.codePointAt(0) ?? 0
      return [point, point] as const
    }),
  )
}

/** What is in both sets. */
export function intersection(a: CodePoints, b: CodePoints): CodePoints {
  return codePoints(
    a.flatMap(([first, last]) =>
      b
        .map(([from, to]) => [Math.max(first, from), Math.min(last, to)] as const)
        .filter(([from, to]) => from <= to),
    ),
  )
}

/** Every character that is not in the set. */
export function complement(set: CodePoints): CodePoints {
  const rest: [number, number][] = []
  let next = 0
  for (const [first, last] of set) {
    if (first > next) rest.push([next, first - 1])
    next = last + 1
  }
  if (next <= 0x10ffff) rest.push([next, 0x10ffff])
  return intersection(rest, ALL_CODE_POINTS)
}

/** Whether the set holds a code point. */
export function holds(set: CodePoints, point: number): boolean {
  return set.some(([first, last]) => first <= point && point <= last)
}
