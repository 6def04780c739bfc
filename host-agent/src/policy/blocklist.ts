import { TextFinder } from './text-finder.ts'

/** What a text may contain and nobody sees: taken out, so that nothing is hidden by it. */
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu

/**
 * Marks beyond those that one letter of any language has (UAX #15 §13 allows for 30). Normalization sorts marks in a time that grows
 * with the square of their number: a prompt of nothing else would stop this process for minutes.
 */
const TOO_MANY_MARKS = /([\p{M}\uFF9E\uFF9F]{30})[\p{M}\uFF9E\uFF9F]+/gu

/** Space that is not one blank. */
const WIDE_SPACE = /[^\S ]\s*| \s+/g

/** Texts that a prompt must not contain. Case, spelling variants of Unicode and the width of spaces make no difference. */
export class Blocklist {
  readonly #finder: TextFinder | undefined

  constructor(entries: readonly string[]) {
    const folded = entries.map((entry) => fold(entry).trim()).filter((entry) => entry !== '')
    this.#finder = folded.length === 0 ? undefined : new TextFinder(folded)
  }

  /** True if one of the texts contains an entry. */
  matches(texts: Iterable<string>): boolean {
    if (this.#finder === undefined) return false
    for (const text of texts) if (this.#finder.isIn(fold(text))) return true
    return false
  }
}

/** Upper case knows no context, unlike lower case (the sigma at the end of a word), and makes ß and ss one. */
function fold(text: string): string {
  const upper = normalized(text).replaceAll(INVISIBLE, '').toUpperCase()
  return normalized(upper).replaceAll(WIDE_SPACE, ' ')
}

function normalized(text: string): string {
  return text.replaceAll(TOO_MANY_MARKS, '$1').normalize('NFKC')
}
