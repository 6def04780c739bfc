import type { OutputPart } from '@daisi/protocol'
import { CallReader } from './call-reader.ts'
import { type CallSyntax, THINK_CLOSE, THINK_OPEN } from './call-syntax.ts'
import { openLength } from './open-length.ts'
import type { Piece } from './piece.ts'

export interface ReaderOptions {
  /** How calls are written; undefined: what looks like one is text. */
  readonly calls: CallSyntax | undefined
  /** True if the model marks what it thinks. */
  readonly thinks: boolean
  /** How the answer begins: the prompt may have opened a call or a thought already. */
  readonly begins: 'text' | 'thought' | 'call'
  /** True if the answer ends after one call. */
  readonly isOneCall: boolean
}

/** White space at the start of an answer that is held back, in characters: more is meant as text. */
const MOST_LEADING = 64

/**
 * Reads the syntax of a model: pieces of text become text, thoughts and calls. A piece leaves once it is clear what all of its text is, with exactly its own token ids; those of
 * swallowed marks go with what comes next (F2, F10). Plain text passes as it is.
 */
export class AnswerReader {
  readonly #options: ReaderOptions
  #state: 'text' | 'thought' | 'call' | 'after-call'
  /** Text of which it is not clear yet what it is. */
  #open = ''
  #parts: OutputPart[] = []
  #held: Piece[] = []
  #call: CallReader | undefined
  #calls = 0
  /** True where white space is dropped: around calls and after thoughts. */
  #trims = false
  #hasText = false

  constructor(options: ReaderOptions) {
    this.#options = options
    this.#state = options.begins
    if (options.begins === 'call') this.#beginCall()
  }

  /** Calls that were begun with a name. */
  get calls(): number {
    return this.#calls
  }

  /** What was written of the call that is being written now; undefined outside of one. */
  get callText(): string | undefined {
    return this.#state === 'call' ? this.#call?.text : undefined
  }

  /** True while the model thinks. */
  get isThought(): boolean {
    return this.#state === 'thought'
  }

  /** True once nothing more is wanted. */
  get isDone(): boolean {
    return this.#options.isOneCall && this.#state === 'after-call'
  }

  push(piece: Piece): readonly Piece[] {
    const isPlain = this.#state === 'text' && this.#open === '' && this.#held.length === 0 && !this.#trims
    if (isPlain && !this.#mayMark(piece.text)) {
      this.#hasText ||= piece.text.trim() !== ''
      return [piece]
    }
    this.#held.push(piece)
    this.#open += piece.text
    this.#read()
    return this.#open === '' && this.#parts.length > 0 ? this.#release() : []
  }

  /** The end of the answer: everything that is left. */
  flush(): readonly Piece[] {
    if (this.#state === 'call' && this.#call !== undefined) this.#giveCallUp()
    if (this.#open !== '') this.#say(this.#state === 'thought' ? 'reasoning' : 'text', this.#open)
    this.#open = ''
    return this.#held.length > 0 ? this.#release() : []
  }

  /** The answer so far was delivered before: it is read and not told again. */
  resume(pieces: Iterable<Piece>): void {
    for (const piece of pieces) this.push(piece)
    this.#held = []
    this.#parts = []
  }

  /** What was taken for a call is none: it is text. */
  giveCallUp(): readonly Piece[] {
    this.#giveCallUp()
    return this.#held.length > 0 ? this.#release() : []
  }

  #giveCallUp(): void {
    const { calls } = this.#options
    if (this.#call?.isNamed === false) this.#say('text', `${calls?.open ?? ''}${this.#call.text}`)
    this.#call = undefined
    this.#state = 'text'
  }

  #read(): void {
    for (;;) {
      const before = this.#open
      const state = this.#state
      if (state === 'text') this.#readText()
      else if (state === 'thought') this.#readThought()
      else if (state === 'call') this.#readCall()
      else this.#readAfterCall()
      if (this.#open === '' || (this.#open === before && this.#state === state)) return
    }
  }

  #readText(): void {
    if (this.#trims || !this.#hasText) {
      const text = this.#open.trimStart()
      if (text === '' && this.#trims) this.#open = ''
      if (text === '' && this.#open.length < MOST_LEADING) return
      if (this.#trims) this.#open = text
    }
    const { calls, thinks } = this.#options
    if (calls?.open === '' && !this.#hasText && this.#open.trimStart().startsWith('{')) {
      this.#open = this.#open.trimStart()
      return this.#beginCall()
    }
    const marks = this.#marks()
    const found = marks
      .map((mark) => ({ mark, at: this.#open.indexOf(mark) }))
      .filter(({ at }) => at >= 0)
      .toSorted((a, b) => a.at - b.at)[0]
    if (found !== undefined) {
      this.#text(this.#open.slice(0, found.at), true)
      this.#open = this.#open.slice(found.at + found.mark.length)
      if (thinks && found.mark === THINK_OPEN) this.#state = 'thought'
      else this.#beginCall()
      return
    }
    const kept = openLength(this.#open, marks)
    const free = this.#open.slice(0, this.#open.length - kept)
    // White space at the start belongs to what follows it.
    if (!this.#hasText && free.length < MOST_LEADING && free.trim() === '') return
    this.#text(free, false)
    this.#open = this.#open.slice(free.length)
  }

  #readThought(): void {
    const at = this.#open.indexOf(THINK_CLOSE)
    if (at >= 0) {
      this.#say('reasoning', this.#open.slice(0, at))
      this.#open = this.#open.slice(at + THINK_CLOSE.length)
      this.#state = 'text'
      this.#trims = true
      return
    }
    const kept = openLength(this.#open, [THINK_CLOSE])
    this.#say('reasoning', this.#open.slice(0, this.#open.length - kept))
    this.#open = this.#open.slice(this.#open.length - kept)
  }

  #readCall(): void {
    if (this.#call === undefined) return
    const index = this.#call.isNamed ? this.#calls - 1 : this.#calls
    const { parts, rest, state } = this.#call.push(this.#open, index)
    this.#open = rest
    if (parts.length > 0 && parts[0]?.name !== undefined) this.#calls++
    this.#parts.push(...parts)
    if (state === 'broken') return this.#giveCallUp()
    if (state === 'done') {
      this.#call = undefined
      this.#state = 'after-call'
    }
  }

  /** Up to the closing mark, or to whatever is there instead of it. */
  #readAfterCall(): void {
    const { close = '' } = this.#options.calls ?? {}
    this.#open = this.#open.trimStart()
    if (this.#open === '' || this.isDone) return
    const isClosed = close !== '' && this.#open.startsWith(close)
    if (!isClosed && close.startsWith(this.#open)) return
    if (isClosed) this.#open = this.#open.slice(close.length)
    this.#state = 'text'
    this.#trims = true
  }

  #beginCall(): void {
    const { calls } = this.#options
    if (calls === undefined) return
    this.#call = new CallReader(calls.argumentsKey)
    this.#state = 'call'
  }

  #marks(): readonly string[] {
    const { calls, thinks } = this.#options
    const marks = calls === undefined || calls.open === '' ? [] : [calls.open]
    return thinks ? [...marks, THINK_OPEN] : marks
  }

  #mayMark(text: string): boolean {
    if (!this.#hasText && (this.#options.calls !== undefined || this.#options.thinks)) return true
    return text.includes('<')
  }

  #text(text: string, isBeforeMark: boolean): void {
    if (isBeforeMark && !this.#hasText && text.trim() === '') return
    if (text === '') return
    this.#say('text', text)
    this.#hasText = true
    this.#trims = false
  }

  #say(type: 'text' | 'reasoning', text: string): void {
    if (text === '') return
    const last = this.#parts.at(-1)
    if (last?.type === type) this.#parts[this.#parts.length - 1] = { type, text: last.text + text }
    else this.#parts.push({ type, text })
  }

  #release(): readonly Piece[] {
    const [parts, held] = [this.#parts, this.#held]
    this.#parts = []
    this.#held = []
    const logprobs = held.flatMap((piece) => piece.logprobs ?? [])
    const known = {
      tokenIds: held.flatMap((piece) => piece.tokenIds),
      ...(logprobs.length > 0 && { logprobs }),
    }
    const [first] = parts
    if (parts.length === 1 && first?.type === 'text') return [{ text: first.text, ...known }]
    return [{ text: '', parts, ...known }]
  }
}
