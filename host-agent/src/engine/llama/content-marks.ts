import type { LlamaModel } from 'node-llama-cpp'

/** Noncharacters of Unicode: no text has them for its own purposes. */
const OPEN = '\uFDD0'
const CLOSE = '\uFDD1'
const MARKS = /[\uFDD0\uFDD1]/g
const MARKED = /\uFDD0([^\uFDD0\uFDD1]*)\uFDD1/g

/** `token_type` of tokens that text never becomes by itself. */
const CONTROL = 3

/** A part of a rendered template. */
export interface MarkedPart {
  readonly text: string
  /** True for what somebody wrote: it stays text, also where it looks like a special token. */
  readonly isContent: boolean
}

/** Marks what somebody wrote before it goes through a template, so that it can be told from the template's own text after it. */
export class ContentMarks {
  /** Finds a text that could be taken for a special token. */
  readonly #special: RegExp | undefined

  constructor(model: LlamaModel) {
    const { tokens, token_type: types } = model.fileInfo.metadata.tokenizer.ggml
    const special = tokens.filter((text, id) => text !== '' && Number(types?.[id]) === CONTROL)
    if (special.length > 0) this.#special = new RegExp(special.map(literally).join('|'), 'g')
  }

  /**
   * What looks like a special token has marks of its own: a template that cuts a text in two, as some do at the end of thoughts, takes the marks of
   * harmless text only.
   */
  mark(text: string): string {
    if (text === '') return ''
    const marked = `${OPEN}${clean(text)}${CLOSE}`
    if (this.#special === undefined || this.#isHarmless(text)) return marked
    return marked.replaceAll(this.#special, (special) => `${CLOSE}${OPEN}${special}${CLOSE}${OPEN}`)
  }

  /**
   * The same for values that a template writes as JSON. Only texts that look like special tokens are marked: elsewhere the JSON is to be
   * cut into tokens as models were trained with it.
   */
  guard(value: unknown): unknown {
    if (typeof value === 'string') return this.#isHarmless(value) ? clean(value) : this.mark(value)
    if (Array.isArray(value)) return value.map((entry) => this.guard(entry))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value).map(([key, entry]) => [this.guard(key), this.guard(entry)]),
    )
  }

  split(text: string): readonly MarkedPart[] {
    const parts: MarkedPart[] = []
    let end = 0
    for (const { 0: marked, 1: content = '', index } of text.matchAll(MARKED)) {
      parts.push({ text: text.slice(end, index), isContent: false }, { text: content, isContent: true })
      end = index + marked.length
    }
    parts.push({ text: text.slice(end), isContent: false })
    // A template may cut marked text, and lose one of the marks.
    return parts
      .map(({ text: part, isContent }) => ({ text: part.replaceAll(MARKS, ''), isContent }))
      .filter(({ text: part }) => part !== '')
  }

  #isHarmless(text: string): boolean {
    return this.#special === undefined || text.search(this.#special) < 0
  }
}

function clean(text: string): string {
  return text.replaceAll(MARKS, '\uFFFD')
}

function literally(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`)
}
