import { TextFinder } from './text-finder.ts'

/** What a text may contain and nobody sees: taken out, so that nothing is hidden by it. */
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu

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
  const upper = text.normalize('NFKC').replaceAll(INVISIBLE, '').toUpperCase()
  return upper.normalize('NFKC').replaceAll(WIDE_SPACE, ' ')
}
