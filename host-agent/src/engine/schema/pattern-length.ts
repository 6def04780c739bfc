import { type Pattern, PatternError } from './pattern-parser.ts'

/** Bounds of a text's length in characters, both included. */
export interface Lengths {
  readonly min: number
  /** `Infinity`: no bound. */
  readonly max: number
}

/** A repetition whose count can be changed, because what it repeats is always of one length. */
type Stretch = Extract<Pattern, { kind: 'repeat' }>

/**
 * The items of a sequence with their repetitions narrowed so that every text they match is of the given lengths. Where
 * several repetitions share what is left, each gets an equal part, so some texts are lost. Undefined: none is left.
 */
export function fitLengths(items: readonly Pattern[], lengths: Lengths): readonly Pattern[] | undefined {
  const [least, most] = [sum(items, minOf), sum(items, maxOf)]
  if (least > lengths.max || most < lengths.min) return undefined
  return withAtMost(withAtLeast(items, lengths.min - least), lengths.max)
}

function withAtLeast(items: readonly Pattern[], missing: number): readonly Pattern[] {
  let rest = missing
  const longer = items.map((item) => {
    if (rest <= 0 || !isStretch(item)) return item
    const more = Math.min(
      Math.ceil(rest / minOf(item.item)),
      (item.max ?? Number.POSITIVE_INFINITY) - item.min,
    )
    rest -= more * minOf(item.item)
    return { ...item, min: item.min + more }
  })
  if (rest > 0) throw new PatternError('it may match texts shorter than minLength: say so in the pattern')
  return longer
}

function withAtMost(items: readonly Pattern[], most: number): readonly Pattern[] | undefined {
  if (sum(items, maxOf) <= most) return items
  const least = sum(items, minOf)
  const [stretches, others] = [items.filter(isStretch), items.filter((item) => !isStretch(item))]
  const room = most - least - (sum(others, maxOf) - sum(others, minOf))
  if (least > most) return undefined
  if (room < 0) throw new PatternError('it may match texts longer than maxLength: say so in the pattern')
  const flexible = stretches.filter(({ min, max }) => min !== max).length
  return items.map((item) => {
    if (!isStretch(item) || item.min === item.max) return item
    const more = Math.floor(room / flexible / minOf(item.item))
    return { ...item, max: Math.min(item.max ?? Number.POSITIVE_INFINITY, item.min + more) }
  })
}

function isStretch(pattern: Pattern): pattern is Stretch {
  return pattern.kind === 'repeat' && minOf(pattern.item) > 0 && minOf(pattern.item) === maxOf(pattern.item)
}

function sum(items: readonly Pattern[], length: (item: Pattern) => number): number {
  return items.reduce((all, item) => all + length(item), 0)
}

function minOf(pattern: Pattern): number {
  switch (pattern.kind) {
    case 'set':
      return 1
    case 'anchor':
      return 0
    case 'sequence':
      return sum(pattern.items, minOf)
    case 'choice':
      return Math.min(...pattern.options.map(minOf))
    case 'repeat':
      return minOf(pattern.item) * pattern.min
  }
}

function maxOf(pattern: Pattern): number {
  switch (pattern.kind) {
    case 'set':
      return 1
    case 'anchor':
      return 0
    case 'sequence':
      return sum(pattern.items, maxOf)
    case 'choice':
      return Math.max(...pattern.options.map(maxOf))
    case 'repeat': {
      const one = maxOf(pattern.item)
      return one === 0 ? 0 : one * (pattern.max ?? Number.POSITIVE_INFINITY)
    }
  }
}
