import type { TokenLogprob } from '@daisi/protocol'
import type { Piece } from './piece.ts'

/** A character has at most 4 bytes, and a token holds at least one: more unfinished tokens are not a character. */
const LONGEST_UNFINISHED = 8

/**
 * Turns tokens into text one by one. A token that ends inside a UTF-8 character is held until the character is whole.
 * The token before is detokenized along, because some vocabularies drop a leading space at the start of a text.
 */
export class Detokenizer {
  readonly #detokenize: (ids: readonly number[]) => string
  readonly #textOf = new Map<number, string>()
  #previous: number | undefined
  #pending: number[] = []
  #logprobs: TokenLogprob[] = []

  /** `previous` is the last token of an answer that goes on. */
  constructor(detokenize: (ids: readonly number[]) => string, previous?: number) {
    this.#detokenize = detokenize
    this.#previous = previous
  }

  /** The next piece, or undefined while a character is unfinished. Give logprobs with all tokens or with none. */
  push(token: number, logprob?: TokenLogprob): Piece | undefined {
    this.#pending.push(token)
    if (logprob !== undefined) this.#logprobs.push(logprob)
    const text = this.#text()
    if (text.endsWith('\uFFFD') && this.#pending.length < LONGEST_UNFINISHED) return undefined
    return this.#release(token, text)
  }

  /** What is held, as it is. For an answer that the model ended by itself. */
  flush(): Piece | undefined {
    const last = this.#pending.at(-1)
    return last === undefined ? undefined : this.#release(last, this.#text())
  }

  #release(last: number, text: string): Piece {
    const piece = {
      text,
      tokenIds: this.#pending,
      ...(this.#logprobs.length > 0 && { logprobs: this.#logprobs }),
    }
    this.#pending = []
    this.#logprobs = []
    this.#previous = last
    return piece
  }

  #text(): string {
    if (this.#previous === undefined) return this.#detokenize(this.#pending)
    const before = this.#single(this.#previous)
    const together = this.#detokenize([this.#previous, ...this.#pending])
    return together.startsWith(before) ? together.slice(before.length) : this.#detokenize(this.#pending)
  }

  #single(token: number): string {
    const known = this.#textOf.get(token)
    if (known !== undefined) return known
    const text = this.#detokenize([token])
    this.#textOf.set(token, text)
    return text
  }
}
