import type { OutputPart } from '@daisi/protocol'
import type { CallSyntax } from './call-syntax.ts'

type CallPart = Extract<OutputPart, { type: 'tool-call' }>

/** A call that has no name after so many characters is none. */
const LONGEST_HEAD = 512

/** What has come of some text. */
export interface CallProgress {
  readonly parts: readonly CallPart[]
  /** Text after the call. */
  readonly rest: string
  readonly state: 'open' | 'done' | 'broken'
}

/** Reads one call: a JSON object with a name, and arguments that leave as they are written. */
export class CallReader {
  readonly #head: RegExp
  #text = ''
  #isNamed = false
  #depth = 0
  #isString = false
  #isEscape = false
  #isEnding = false

  constructor(argumentsKey: CallSyntax['argumentsKey']) {
    this.#head = new RegExp(
      String.raw`^\s*\{\s*"name"\s*:\s*"([A-Za-z0-9_-]{1,64})"\s*,\s*"${argumentsKey}"\s*:\s*(?=\{)`,
    )
  }

  /** Everything that was written of it. */
  get text(): string {
    return this.#text
  }

  get isNamed(): boolean {
    return this.#isNamed
  }

  /** Takes more text. `index` is the call's number. */
  push(text: string, index: number): CallProgress {
    this.#text += text
    if (this.#isNamed) return this.#arguments(text, index, undefined)
    const head = this.#head.exec(this.#text)
    if (head === null) {
      const isBroken = this.#text.length > LONGEST_HEAD || !/^\s*(\{|$)/.test(this.#text)
      return { parts: [], rest: '', state: isBroken ? 'broken' : 'open' }
    }
    this.#isNamed = true
    return this.#arguments(this.#text.slice(head[0].length), index, head[1])
  }

  #arguments(text: string, index: number, name: string | undefined): CallProgress {
    const length = this.#isEnding ? 0 : this.#scan(text)
    const part: CallPart = {
      type: 'tool-call',
      index,
      ...(name !== undefined && { name }),
      arguments: text.slice(0, length),
    }
    const parts = name === undefined && length === 0 ? [] : [part]
    if (!this.#isEnding) return { parts, rest: '', state: 'open' }
    // The brace that closes the call itself.
    const end = /^\s*\}/.exec(text.slice(length))
    if (end !== null) return { parts, rest: text.slice(length + end[0].length), state: 'done' }
    const isOther = text.slice(length).trim() !== ''
    return { parts, rest: isOther ? text.slice(length) : '', state: isOther ? 'done' : 'open' }
  }

  /** How much of the text is arguments. */
  #scan(text: string): number {
    for (let at = 0; at < text.length; at++) {
      const character = text[at]
      if (this.#isString) {
        if (this.#isEscape) this.#isEscape = false
        else if (character === '\\') this.#isEscape = true
        else if (character === '"') this.#isString = false
      } else if (character === '"') this.#isString = true
      else if (character === '{' || character === '[') this.#depth++
      else if (character === '}' || character === ']') {
        this.#depth--
        if (this.#depth === 0) {
          this.#isEnding = true
          return at + 1
        }
      }
    }
    return text.length
  }
}
