import { decimalGrammar, integerGrammar } from './digits.ts'
import { type Expression, choice, oneOf, sequence, text } from './expression.ts'
import type { NumberLimits } from './flat-schema.ts'
import { pointer, SchemaRefusal } from './refusal.ts'
import type { RuleBook } from './rule-book.ts'

const DIGIT = oneOf([[0x30, 0x39]])

/** Bounds of decimals have at most so many digits after the point. */
const BOUND = /^(-?\d+)(?:\.(\d{1,6}))?$/

/** Integers within the limits; undefined if there are none. */
export function integers(limits: NumberLimits, book: RuleBook): Expression | undefined {
  const from = highest([
    whole(limits.minimum, Math.ceil),
    next(whole(limits.exclusiveMinimum, Math.floor), 1n),
  ])
  const to = lowest([whole(limits.maximum, Math.floor), next(whole(limits.exclusiveMaximum, Math.ceil), -1n)])
  if (from === undefined && to === undefined) {
    return sequence(book.optional(text('-')), magnitude(book))
  }
  return integerGrammar({ from, to }, book)
}

/** Numbers within the limits, fractions among them; undefined if there are none. */
export function numbers(limits: NumberLimits, path: string, book: RuleBook): Expression | undefined {
  const from = highest([
    millionths(limits.minimum, 'minimum', path),
    next(millionths(limits.exclusiveMinimum, 'exclusiveMinimum', path), 1n),
  ])
  const to = lowest([
    millionths(limits.maximum, 'maximum', path),
    next(millionths(limits.exclusiveMaximum, 'exclusiveMaximum', path), -1n),
  ])
  if (from !== undefined || to !== undefined) return decimalGrammar({ from, to }, book)
  const fraction = sequence(text('.'), book.repeat(DIGIT, 1, 15))
  const exponent = sequence(
    choice([text('e'), text('E')]),
    book.optional(choice([text('+'), text('-')])),
    book.repeat(DIGIT, 1, 2),
  )
  return sequence(book.optional(text('-')), magnitude(book), book.optional(fraction), book.optional(exponent))
}

/** Zero, or up to 15 digits: no more are exact in every reader. */
function magnitude(book: RuleBook): Expression {
  return book.rule(choice([text('0'), sequence(oneOf([[0x31, 0x39]]), book.repeat(DIGIT, 0, 14))]))
}

function whole(bound: number | undefined, round: (value: number) => number): bigint | undefined {
  return bound === undefined ? undefined : BigInt(round(bound))
}

function next(bound: bigint | undefined, step: bigint): bigint | undefined {
  return bound === undefined ? undefined : bound + step
}

function millionths(bound: number | undefined, keyword: string, path: string): bigint | undefined {
  if (bound === undefined) return undefined
  if (Number.isInteger(bound)) return BigInt(bound) * 1_000_000n
  const [, before, after = ''] = BOUND.exec(String(bound)) ?? []
  if (before === undefined) {
    throw new SchemaRefusal(
      pointer(path, keyword),
      'a bound of a number has at most six digits after the point: round it',
    )
  }
  const fraction = BigInt(after.padEnd(6, '0'))
  return BigInt(before) * 1_000_000n + (before.startsWith('-') ? -fraction : fraction)
}

function highest(bounds: readonly (bigint | undefined)[]): bigint | undefined {
  return bounds.reduce((a, b) => (a === undefined || (b !== undefined && b > a) ? b : a), undefined)
}

function lowest(bounds: readonly (bigint | undefined)[]): bigint | undefined {
  return bounds.reduce((a, b) => (a === undefined || (b !== undefined && b < a) ? b : a), undefined)
}
