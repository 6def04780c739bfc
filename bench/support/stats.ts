/** The value below which this share of the values lies, the nearest rank. NaN if there are none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/** Random numbers from 0 to 1 that are the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b_79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The same items in random order (Fisher–Yates). */
export function shuffled<Item>(items: readonly Item[], random: () => number): Item[] {
  const result = [...items]
  for (let last = result.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1))
    const item = result[last]!
    result[last] = result[other]!
    result[other] = item
  }
  return result
}

/**
 * How far two samples differ, in standard deviations of the Mann–Whitney statistic: beyond ±3 chance is unlikely.
 * Positive if the values of `a` tend to be larger.
 */
export function rankDifference(a: readonly number[], b: readonly number[]): number {
  const ranked = [...a.map((value) => ({ value, own: true })), ...b.map((value) => ({ value, own: false }))]
  ranked.sort((left, right) => left.value - right.value)
  let rankSum = 0
  for (let start = 0; start < ranked.length;) {
    let end = start
    while (end < ranked.length && ranked[end]?.value === ranked[start]?.value) end++
    const rank = (start + 1 + end) / 2
    for (let index = start; index < end; index++) if (ranked[index]?.own === true) rankSum += rank
    start = end
  }
  const u = rankSum - (a.length * (a.length + 1)) / 2
  const deviation = Math.sqrt((a.length * b.length * (a.length + b.length + 1)) / 12)
  return (u - (a.length * b.length) / 2) / deviation
}
