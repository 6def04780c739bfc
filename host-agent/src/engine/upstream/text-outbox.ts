import { FRAME_HEADER_BYTES, MAX_FRAME_BYTES } from '@daisi/protocol'
import type { Clock } from '../../clock.ts'
import type { SendWindow } from './send-window.ts'

/** At most 25 frames a second (F4). */
const FRAME_INTERVAL_MS = 40
/** Text of a frame at most, in bytes. */
const MOST_TEXT_BYTES = MAX_FRAME_BYTES - FRAME_HEADER_BYTES
/** Characters of the longest token that a vocabulary has. */
const LONGEST_TOKEN = 1_024

/** Text that has at least one token. */
interface Piece {
  readonly text: string
  readonly bytes: number
}

/**
 * Text as pieces of which each has at least one token: a server tells no tokens, but a chunk with text has one, and more
 * where it is longer than any token. Pieces end between characters.
 */
export function piecesOf(text: string): readonly string[] {
  if (text.length <= LONGEST_TOKEN) return text === '' ? [] : [text]
  const pieces: string[] = []
  let start = 0
  while (start < text.length) {
    let end = Math.min(text.length, start + LONGEST_TOKEN)
    const last = text.charCodeAt(end - 1)
    if (end < text.length && last >= 0xd8_00 && last <= 0xdb_ff) end--
    pieces.push(text.slice(start, end))
    start = end
  }
  return pieces
}

/**
 * Joins pieces into frames: the first at once, then one every 40 ms (F4), as far as the window goes (F5). Whoever pushes
 * waits for `writable` in between, so that a reader who is slow slows the server down.
 */
export class TextOutbox {
  readonly #window: SendWindow
  readonly #emit: (text: string, tokenCount: number) => void
  readonly #clock: Clock
  #pieces: Piece[] = []
  #bytes = 0
  #sentTokens = 0
  #lastFrameAt = Number.NEGATIVE_INFINITY
  #cancelTimer: (() => void) | undefined

  constructor(window: SendWindow, emit: (text: string, tokenCount: number) => void, clock: Clock) {
    this.#window = window
    this.#emit = emit
    this.#clock = clock
  }

  /** Tokens in the frames so far, counted by pieces. */
  get sentTokens(): number {
    return this.#sentTokens
  }

  push(text: string): void {
    const bytes = Buffer.byteLength(text)
    this.#pieces.push({ text, bytes })
    this.#bytes += bytes
    const waitMs = this.#lastFrameAt + FRAME_INTERVAL_MS - this.#clock.now()
    if (waitMs <= 0 || this.#bytes >= MOST_TEXT_BYTES / 2) this.#flush()
    else
      this.#cancelTimer ??= this.#clock.after(waitMs, () => {
        this.#cancelTimer = undefined
        this.#flush()
      })
  }

  /** Resolves when more may be pushed, or the signal is aborted. */
  async writable(signal: AbortSignal): Promise<void> {
    while (this.#bytes > this.#window.room && !signal.aborted) {
      await this.#window.granted(signal)
      this.#flush()
    }
  }

  /** Sends what is left, as the window allows. */
  async finish(signal: AbortSignal): Promise<void> {
    while (this.#pieces.length > 0 && !signal.aborted) if (!this.#flush()) await this.#window.granted(signal)
    this.dispose()
  }

  /** Forgets what was not sent. */
  dispose(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    this.#pieces = []
    this.#bytes = 0
  }

  /** Sends the pieces that fit as one frame; false if none did. */
  #flush(): boolean {
    const room = Math.min(this.#window.room, MOST_TEXT_BYTES)
    let bytes = 0
    let count = 0
    for (const piece of this.#pieces) {
      if (bytes + piece.bytes > room) break
      bytes += piece.bytes
      count++
    }
    if (count === 0) return false
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    const sent = this.#pieces.splice(0, count)
    this.#bytes -= bytes
    this.#sentTokens += count
    this.#lastFrameAt = this.#clock.now()
    this.#window.sent(bytes)
    this.#emit(sent.map(({ text }) => text).join(''), count)
    return true
  }
}
