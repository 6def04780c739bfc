import { fixed, progress, verdict } from '../report.ts'
import { median, quantile } from '../stats.ts'

/** Tokens, and the time from the one before the first of them to the last. */
export interface Timed {
  readonly tokens: number
  readonly ms: number
}

export function perSecond({ tokens, ms }: Timed): number {
  return (tokens / ms) * 1000
}

/** Several measurements as one. */
export function total(parts: readonly Timed[]): Timed {
  const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0)
  return { tokens: sum(parts.map(({ tokens }) => tokens)), ms: sum(parts.map(({ ms }) => ms)) }
}

/** Measures the sides one after the other, every second time in reverse: what drifts over time favours none. One list for each side. */
export async function inTurns(
  label: string,
  rounds: number,
  sides: readonly (() => Promise<number>)[],
): Promise<number[][]> {
  const values: number[][] = sides.map(() => [])
  for (let round = 0; round < rounds; round++) {
    progress(`${label}: ${round + 1} of ${rounds}`)
    const order = round % 2 === 0 ? [...sides.keys()] : [...sides.keys()].toReversed()
    for (const index of order) values[index]?.push((await sides[index]?.()) ?? Number.NaN)
  }
  return values
}

export const RATIO_COLUMNS = ['ratio', 'pairs from … to', 'target', 'verdict']

/** The cells of `RATIO_COLUMNS`: the median of the ratios of the pairs, against a least or a largest value. */
export function ratioCells(
  above: readonly number[],
  below: readonly number[],
  target: { readonly least: number } | { readonly most: number },
): string[] {
  const ratios = above.map((value, index) => value / (below[index] ?? Number.NaN))
  const ratio = median(ratios)
  const range = `${fixed(quantile(ratios, 0), 3)} … ${fixed(quantile(ratios, 1), 3)}`
  const [sign, bound, met] =
    'least' in target ? ['≥', target.least, ratio >= target.least] : ['≤', target.most, ratio <= target.most]
  return [`**${fixed(ratio, 3)}**`, range, `${sign} ${bound}`, verdict(met)]
}
