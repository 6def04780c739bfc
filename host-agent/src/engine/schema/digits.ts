import { type Expression, choice, EMPTY, oneOf, sequence, text } from './expression.ts'
import type { RuleBook } from './rule-book.ts'

/** Integers beyond this are not exact in JavaScript. */
const LARGEST = BigInt(Number.MAX_SAFE_INTEGER)

/** Decimals keep so many digits after the point: with nine before it, no two of them are the same double. */
const FRACTION_DIGITS = 6
const UNIT = 10n ** BigInt(FRACTION_DIGITS)
const LARGEST_DECIMAL = 10n ** BigInt(9 + FRACTION_DIGITS) - 1n

/** Bounds, both included; undefined: none. */
export interface Range<Value> {
  readonly from: Value | undefined
  readonly to: Value | undefined
}

/** Exactly the integers of the range that are safe in JavaScript; undefined if there are none. */
export function integerGrammar(range: Range<bigint>, book: RuleBook): Expression | undefined {
  return signed(range, LARGEST, (from, to) => wholeNumbers(from, to, book))
}

/**
 * The decimals of the range with at most nine digits before the point and six after it; undefined if there are none.
 * The bounds are in millionths.
 */
export function decimalGrammar(range: Range<bigint>, book: RuleBook): Expression | undefined {
  return signed(range, LARGEST_DECIMAL, (from, to) => decimals(from, to, book))
}

function signed(
  { from, to }: Range<bigint>,
  largest: bigint,
  positive: (from: bigint, to: bigint) => Expression,
): Expression | undefined {
  const low = from === undefined || from < -largest ? -largest : from
  const high = to === undefined || to > largest ? largest : to
  if (low > high) return undefined
  const options: Expression[] = []
  if (low < 0n) options.push(sequence(text('-'), positive(high < 0n ? -high : 1n, -low)))
  if (high >= 0n) options.push(positive(low > 0n ? low : 0n, high))
  return choice(options)
}

/** Integers without a sign, `0 <= from <= to`. */
function wholeNumbers(from: bigint, to: bigint, book: RuleBook): Expression {
  const options: Expression[] = []
  if (from === 0n) options.push(text('0'))
  const low = from === 0n ? 1n : from
  let allFrom: number | undefined
  const lengths = String(to).length
  for (let length = String(low).length; length <= lengths; length += 1) {
    const least = 10n ** BigInt(length - 1)
    const first = low > least ? low : least
    const last = to < least * 10n - 1n ? to : least * 10n - 1n
    if (first > last) continue
    if (first === least && last === least * 10n - 1n) {
      allFrom ??= length
      continue
    }
    if (allFrom !== undefined) options.push(anyOfLengths(allFrom, length - 1, book))
    allFrom = undefined
    options.push(sameLength(String(first), String(last), book))
  }
  if (allFrom !== undefined) options.push(anyOfLengths(allFrom, lengths, book))
  return choice(options)
}

function anyOfLengths(least: number, most: number, book: RuleBook): Expression {
  return sequence(digits('1', '9'), book.repeat(digits('0', '9'), least - 1, most - 1))
}

/** Digits from `from` to `to`, which are of one length. */
function sameLength(from: string, to: string, book: RuleBook): Expression {
  return digitRange(from, to, (length) => book.repeat(digits('0', '9'), length, length), false)
}

/** `0 <= from <= to`, in millionths. */
function decimals(from: bigint, to: bigint, book: RuleBook): Expression {
  const [low, high] = [from / UNIT, to / UNIT]
  const lowFraction = fractionDigits(from)
  const highFraction = fractionDigits(to)
  const all = '9'.repeat(FRACTION_DIGITS)
  const none = '0'.repeat(FRACTION_DIGITS)
  if (low === high) return sequence(text(String(low)), fraction(lowFraction, highFraction, book))
  const firstWhole = lowFraction === none ? low : low + 1n
  const lastWhole = highFraction === all ? high : high - 1n
  const options: Expression[] = []
  if (firstWhole !== low) options.push(sequence(text(String(low)), fraction(lowFraction, all, book)))
  if (firstWhole <= lastWhole) {
    options.push(sequence(book.rule(wholeNumbers(firstWhole, lastWhole, book)), fraction(none, all, book)))
  }
  if (lastWhole !== high) options.push(sequence(text(String(high)), fraction(none, highFraction, book)))
  return choice(options)
}

function fractionDigits(millionths: bigint): string {
  return String(millionths % UNIT).padStart(FRACTION_DIGITS, '0')
}

/** A point and digits within the range; nothing where that is within it too. Zeros at the end may be left out. */
function fraction(from: string, to: string, book: RuleBook): Expression {
  const rest = (length: number): Expression => book.repeat(digits('0', '9'), 0, length)
  const withPoint = sequence(text('.'), digitRange(from, to, rest, true))
  return isZero(from) ? book.optional(withPoint) : withPoint
}

/**
 * Digits from `from` to `to`, which are of one length. `rest` gives what may follow where nothing is bounded any more;
 * `mayStop`: digits at the end may be left out, which then count as zeros. There is always at least one digit.
 */
function digitRange(
  from: string,
  to: string,
  rest: (length: number) => Expression,
  mayStop: boolean,
): Expression {
  const [low, high] = [from.charAt(0), to.charAt(0)]
  const length = from.length - 1
  const [lowRest, highRest] = [from.slice(1), to.slice(1)]
  if (length === 0) return digits(low, high)
  if (low === high) return sequence(text(low), after(lowRest, highRest))
  const lowIsOpen = isZero(lowRest)
  const highIsOpen = /^9*$/.test(highRest)
  const options: Expression[] = []
  if (!lowIsOpen) options.push(sequence(text(low), after(lowRest, '9'.repeat(length))))
  const first = Number(low) + (lowIsOpen ? 0 : 1)
  const last = Number(high) - (highIsOpen ? 0 : 1)
  if (first <= last) options.push(sequence(digits(String(first), String(last)), rest(length)))
  if (!highIsOpen) options.push(sequence(text(high), after('0'.repeat(length), highRest)))
  return choice(options)

  function after(lowRest: string, highRest: string): Expression {
    const more = digitRange(lowRest, highRest, rest, mayStop)
    return mayStop && isZero(lowRest) ? choice([more, EMPTY]) : more
  }
}

function isZero(digits: string): boolean {
  return /^0*$/.test(digits)
}

function digits(first: string, last: string): Expression {
  return first === last ? text(first) : oneOf([[first.charCodeAt(0), last.charCodeAt(0)]])
}
