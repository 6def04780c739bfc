import { ALL_CODE_POINTS } from './code-points.ts'
import { characterOf } from './characters.ts'
import { type Expression, choice, sequence } from './expression.ts'
import { type Pattern, PatternError } from './pattern-parser.ts'
import type { RuleBook } from './rule-book.ts'
import { fitLengths, type Lengths } from './pattern-length.ts'

/** Characters that a pattern may have with all repetitions written out. llama.cpp may have to follow each of them. */
const MAX_WRITTEN_OUT = 4_096

/**
 * Places within repetitions at which a text may be at the same time. llama.cpp compares each with all others at every
 * character: 900 of them cost it some milliseconds, 3,600 more than a second.
 */
const MAX_OVERLAP = 512

const ANYTHING: Pattern = {
  kind: 'repeat',
  item: { kind: 'set', set: ALL_CODE_POINTS },
  min: 0,
  max: undefined,
}

/**
 * The content of JSON strings that match the pattern and are of these lengths; undefined if there are none. Throws a
 * `PatternError` for what a grammar cannot say.
 */
export function patternGrammar(pattern: Pattern, lengths: Lengths, book: RuleBook): Expression | undefined {
  if (writtenOut(pattern) > MAX_WRITTEN_OUT) throw new PatternError('its repetitions are too many')
  const alternatives = pattern.kind === 'choice' ? pattern.options : [pattern]
  const options = alternatives
    .map((alternative) => fitLengths(wholeText(alternative), lengths))
    .filter((items) => items !== undefined)
    .map(withoutOverlap)
    .map((items) => sequence(...items.map((item) => grammarOf(item, book))))
  return options.length === 0 ? undefined : choice(options)
}

/** The items of an alternative that match a text from its start to its end. */
function wholeText(alternative: Pattern): readonly Pattern[] {
  const items = [...flatten(alternative)]
  if (items[0]?.kind === 'anchor' && items[0].at === '^') items.shift()
  else items.unshift(ANYTHING)
  const last = items.at(-1)
  if (last?.kind === 'anchor' && last.at === '$') items.pop()
  else items.push(ANYTHING)
  return items
}

function flatten(pattern: Pattern): readonly Pattern[] {
  return pattern.kind === 'sequence' ? pattern.items.flatMap(flatten) : [pattern]
}

function grammarOf(pattern: Pattern, book: RuleBook): Expression {
  switch (pattern.kind) {
    case 'set': {
      const character = characterOf(pattern.set)
      if (character === undefined) throw new PatternError('it asks for a character that is not written')
      return character.kind === 'choice' ? book.rule(character) : character
    }
    case 'sequence':
      return sequence(...pattern.items.map((item) => grammarOf(item, book)))
    case 'choice':
      return choice(pattern.options.map((option) => grammarOf(option, book)))
    case 'repeat':
      return book.repeat(grammarOf(pattern.item, book), pattern.min, pattern.max)
    case 'anchor':
      throw new PatternError('anchors stand at its start and its end only')
  }
}

function writtenOut(pattern: Pattern): number {
  switch (pattern.kind) {
    case 'set':
    case 'anchor':
      return 1
    case 'sequence':
      return pattern.items.reduce((sum, item) => sum + writtenOut(item), 1)
    case 'choice':
      return pattern.options.reduce((sum, option) => sum + writtenOut(option), 1)
    case 'repeat':
      return writtenOut(pattern.item) * Math.max(1, pattern.max ?? pattern.min + 1)
  }
}

function withoutOverlap(items: readonly Pattern[]): readonly Pattern[] {
  const loose = items.flatMap(looseSizes)
  const size = loose.reduce((sum, each) => sum + each, 0)
  if (loose.length > 1 && size > MAX_OVERLAP)
    throw new PatternError('too many of its repetitions may overlap')
  return items
}

/** For each repetition without a fixed count, how many places it has. */
function looseSizes(pattern: Pattern): readonly number[] {
  switch (pattern.kind) {
    case 'set':
    case 'anchor':
      return []
    case 'sequence':
      return pattern.items.flatMap(looseSizes)
    case 'choice':
      return pattern.options.flatMap(looseSizes)
    case 'repeat': {
      const inside = looseSizes(pattern.item)
      const times = Math.max(1, pattern.max ?? pattern.min)
      if (pattern.min === pattern.max) return inside.map((size) => size * times)
      const own = writtenOut(pattern.item) * times
      // Without end, every place before it leads to every place after it.
      return [pattern.max === undefined ? own + 8 : own, ...inside]
    }
  }
}
