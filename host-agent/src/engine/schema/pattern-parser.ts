import {
  ALL_CODE_POINTS,
  type CodePoints,
  codePoints,
  codePointsOf,
  complement,
  holds,
} from './code-points.ts'

/** A regular expression. */
export type Pattern =
  | { readonly kind: 'set'; readonly set: CodePoints }
  | { readonly kind: 'sequence'; readonly items: readonly Pattern[] }
  | { readonly kind: 'choice'; readonly options: readonly Pattern[] }
  | {
      readonly kind: 'repeat'
      readonly item: Pattern
      readonly min: number
      readonly max: number | undefined
    }
  | { readonly kind: 'anchor'; readonly at: '^' | '$' }

const MAX_DEPTH = 32

const DIGITS: CodePoints = [[0x30, 0x39]]
const WORD = codePoints([...DIGITS, [0x41, 0x5a], [0x61, 0x7a], [0x5f, 0x5f]])
const SPACE = codePointsOf(
  '\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff',
)
const LINE_ENDS = codePointsOf('\n\r\u2028\u2029')

const CLASSES: Readonly<Record<string, CodePoints>> = {
  d: DIGITS,
  D: complement(DIGITS),
  w: WORD,
  W: complement(WORD),
  s: SPACE,
  S: complement(SPACE),
}

const CONTROLS: Readonly<Record<string, number>> = { t: 9, n: 10, v: 11, f: 12, r: 13, 0: 0 }

/** What of regular expressions is not understood. */
export class PatternError extends Error {}

/** Reads a regular expression of ECMAScript. Throws a `PatternError` for what a grammar cannot say. */
export function parsePattern(source: string): Pattern {
  return new PatternParser(source).parse()
}

class PatternParser {
  readonly #characters: readonly string[]
  #at = 0
  #depth = 0

  constructor(source: string) {
    this.#characters = Array.from(source)
  }

  parse(): Pattern {
    const pattern = this.#choice()
    if (this.#at < this.#characters.length) throw new PatternError('a bracket is closed that was not opened')
    return pattern
  }

  #choice(): Pattern {
    this.#depth += 1
    if (this.#depth > MAX_DEPTH) throw new PatternError('too many brackets within brackets')
    const options = [this.#sequence()]
    while (this.#take('|')) options.push(this.#sequence())
    this.#depth -= 1
    const [only] = options
    return options.length === 1 && only !== undefined ? only : { kind: 'choice', options }
  }

  #sequence(): Pattern {
    const items: Pattern[] = []
    for (let next = this.#peek(); next !== undefined && next !== '|' && next !== ')'; next = this.#peek()) {
      items.push(this.#repeated(this.#atom()))
    }
    return { kind: 'sequence', items }
  }

  #repeated(item: Pattern): Pattern {
    const counts = this.#counts()
    if (counts === undefined) return item
    if (item.kind === 'anchor') throw new PatternError('an anchor cannot be repeated')
    // A lazy repetition matches the same texts.
    this.#take('?')
    return { kind: 'repeat', item, ...counts }
  }

  #counts(): { min: number; max: number | undefined } | undefined {
    if (this.#take('*')) return { min: 0, max: undefined }
    if (this.#take('+')) return { min: 1, max: undefined }
    if (this.#take('?')) return { min: 0, max: 1 }
    if (!this.#take('{')) return undefined
    const min = this.#integer()
    const max = this.#take(',') ? (this.#peek() === '}' ? undefined : this.#integer()) : min
    if (!this.#take('}') || (max !== undefined && max < min)) throw new PatternError('a count cannot be read')
    return { min, max }
  }

  #integer(): number {
    let digits = ''
    while (/^\d$/.test(this.#peek() ?? '')) digits += this.#next()
    if (digits === '' || digits.length > 6) throw new PatternError('a count cannot be read')
    return Number(digits)
  }

  #atom(): Pattern {
    const character = this.#next()
    switch (character) {
      case '^':
      case '$':
        return { kind: 'anchor', at: character }
      case '(':
        return this.#group()
      case '[':
        return { kind: 'set', set: this.#class() }
      case '.':
        return { kind: 'set', set: complement(LINE_ENDS) }
      case '\\':
        return { kind: 'set', set: this.#escape(false) }
      case '*':
      case '+':
      case '?':
      case '{':
      case '}':
      case ']':
        throw new PatternError(`write \\${character} for the character itself`)
      default:
        return { kind: 'set', set: codePointsOf(character) }
    }
  }

  #group(): Pattern {
    if (this.#take('?')) {
      const isNamed = this.#take('<')
      if (isNamed) {
        if (!/^[\p{ID_Start}$_]$/u.test(this.#peek() ?? '')) throw new PatternError('it looks around')
        while (!this.#take('>')) this.#next()
      } else if (!this.#take(':')) throw new PatternError('it looks around or sets flags')
    }
    const inside = this.#choice()
    if (!this.#take(')')) throw new PatternError('a bracket is not closed')
    return inside
  }

  #class(): CodePoints {
    const isNegated = this.#take('^')
    const ranges: (readonly [number, number])[] = []
    while (!this.#take(']')) {
      const from = this.#classAtom()
      if (this.#peek() === '-' && this.#characters[this.#at + 1] !== ']') {
        this.#next()
        ranges.push([single(from), single(this.#classAtom())])
      } else ranges.push(...from)
    }
    if (ranges.some(([first, last]) => first > last)) throw new PatternError('a range runs backwards')
    const set = codePoints(ranges)
    return isNegated ? complement(set) : set
  }

  #classAtom(): CodePoints {
    const character = this.#next()
    return character === '\\' ? this.#escape(true) : codePointsOf(character)
  }

  #escape(isInClass: boolean): CodePoints {
    const character = this.#next()
    const known = CLASSES[character]
    if (known !== undefined) return known
    const control = CONTROLS[character]
    if (control !== undefined && !(control === 0 && /^\d$/.test(this.#peek() ?? ''))) return point(control)
    if (character === 'b' && isInClass) return point(8)
    if (character === 'x') return point(this.#hexadecimal(2))
    if (character === 'u') return point(this.#codePoint())
    if (/^[!-/:-@[-^`{-~]$/.test(character)) return codePointsOf(character)
    throw new PatternError(`\\${character} is not understood`)
  }

  #codePoint(): number {
    if (!this.#take('{')) return this.#hexadecimal(4)
    let digits = ''
    while (!this.#take('}')) digits += this.#next()
    if (!/^[0-9a-f]{1,6}$/i.test(digits)) throw new PatternError('an escape cannot be read')
    return Number.parseInt(digits, 16)
  }

  #hexadecimal(length: number): number {
    let digits = ''
    while (digits.length < length) digits += this.#next()
    if (!/^[0-9a-f]+$/i.test(digits)) throw new PatternError('an escape cannot be read')
    return Number.parseInt(digits, 16)
  }

  #peek(): string | undefined {
    return this.#characters[this.#at]
  }

  #next(): string {
    const character = this.#characters[this.#at]
    if (character === undefined) throw new PatternError('it ends too early')
    this.#at += 1
    return character
  }

  #take(character: string): boolean {
    if (this.#characters[this.#at] !== character) return false
    this.#at += 1
    return true
  }
}

function point(value: number): CodePoints {
  if (!holds(ALL_CODE_POINTS, value)) throw new PatternError('half of a surrogate pair is no character')
  return [[value, value]]
}

function single(set: CodePoints): number {
  const [[first, last] = [0, 1]] = set
  if (set.length !== 1 || first !== last) throw new PatternError('a range of classes is not understood')
  return first
}
