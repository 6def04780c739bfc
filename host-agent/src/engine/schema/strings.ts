import { anyCharacter } from './characters.ts'
import { type Expression, sequence, text } from './expression.ts'
import type { StringLimits } from './flat-schema.ts'
import { formatPattern, sayablePattern } from './formats.ts'
import { patternGrammar } from './pattern-grammar.ts'
import { parsePattern, PatternError } from './pattern-parser.ts'
import { pointer, SchemaRefusal } from './refusal.ts'
import type { RuleBook } from './rule-book.ts'

/** Characters that a string has at most if its length is bounded at all. */
const MAX_COUNTED_CHARACTERS = 16_000

const QUOTE = text('"')

/** JSON strings within the limits; undefined if there are none. */
export function strings(limits: StringLimits, path: string, book: RuleBook): Expression | undefined {
  const { minLength = 0, maxLength } = limits
  if (maxLength !== undefined && maxLength < minLength) return undefined
  if (minLength > MAX_COUNTED_CHARACTERS) {
    throw new SchemaRefusal(
      pointer(path, 'minLength'),
      `a string of at least ${MAX_COUNTED_CHARACTERS} characters cannot be asked for: lower it`,
    )
  }
  const pattern = limits.pattern ?? formatPattern(limits.format ?? '')
  if (pattern !== undefined) return matching(pattern, limits, path, book)
  const most = maxLength === undefined ? undefined : Math.min(maxLength, MAX_COUNTED_CHARACTERS)
  return sequence(QUOTE, book.repeat(book.rule(anyCharacter()), minLength, most), QUOTE)
}

function matching(
  pattern: string,
  { minLength = 0, maxLength = Number.POSITIVE_INFINITY, pattern: given }: StringLimits,
  path: string,
  book: RuleBook,
): Expression | undefined {
  try {
    const content = patternGrammar(
      parsePattern(sayablePattern(pattern)),
      { min: minLength, max: maxLength },
      book,
    )
    return content === undefined ? undefined : sequence(QUOTE, book.rule(content), QUOTE)
  } catch (error) {
    if (!(error instanceof PatternError)) throw error
    const keyword = given === undefined ? 'format' : 'pattern'
    throw new SchemaRefusal(
      pointer(path, keyword),
      `the ${keyword} cannot be kept, because ${error.message}: use a simpler one`,
    )
  }
}
