/** Bytes from `start` up to, not including, `end`. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/** Which bytes of a file are there: sorted ranges that do not touch. */
export class Coverage {
  #ranges: ByteRange[] = []

  constructor(ranges: readonly ByteRange[] = []) {
    for (const { start, end } of ranges) this.add(start, end)
  }

  get ranges(): readonly ByteRange[] {
    return this.#ranges
  }

  /** Bytes that are there. */
  get bytes(): number {
    return this.#ranges.reduce((sum, { start, end }) => sum + end - start, 0)
  }

  add(start: number, end: number): void {
    if (end <= start) return
    const before = this.#ranges.filter((range) => range.end < start)
    const after = this.#ranges.filter((range) => range.start > end)
    const touched = this.#ranges.slice(before.length, this.#ranges.length - after.length)
    const merged = {
      start: Math.min(start, touched[0]?.start ?? start),
      end: Math.max(end, touched.at(-1)?.end ?? end),
    }
    this.#ranges = [...before, merged, ...after]
  }

  /** Forgets everything from a position on. */
  removeFrom(position: number): void {
    this.#ranges = this.#ranges
      .filter(({ start }) => start < position)
      .map(({ start, end }) => ({ start, end: Math.min(end, position) }))
  }

  /** What is missing of a file, in order, in pieces of at most `pieceBytes`. */
  *missing(sizeBytes: number, pieceBytes: number): Generator<ByteRange> {
    let position = 0
    for (const { start, end } of [...this.#ranges, { start: sizeBytes, end: sizeBytes }]) {
      for (; position < start; position = Math.min(start, position + pieceBytes))
        yield { start: position, end: Math.min(start, position + pieceBytes) }
      position = end
    }
  }
}
