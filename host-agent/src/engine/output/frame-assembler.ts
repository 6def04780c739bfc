import { FRAME_HEADER_BYTES, logprobSize, MAX_FRAME_BYTES, type OutputPart } from '@daisi/protocol'
import { type Clock, monotonicClock } from '../../clock.ts'
import type { Piece } from './piece.ts'

type CallPart = Extract<OutputPart, { type: 'tool-call' }>

/** At most 25 frames a second (F4). */
export const FRAME_INTERVAL_MS = 40

/** A frame this large goes early, long before the limit of the wire. */
const EARLY_FRAME_BYTES = MAX_FRAME_BYTES / 2

/**
 * Joins pieces into frames: the first at once, then one every `FRAME_INTERVAL_MS` (F4), never more bytes than the window
 * holds (F5). While `blocked`, the generation is to wait for `writable`.
 */
export class FrameAssembler {
  readonly #emit: (frame: Piece) => void
  readonly #clock: Clock
  #windowBytes: number
  #pieces: Piece[] = []
  #bytes = 0
  #lastFrameAt = Number.NEGATIVE_INFINITY
  #cancelTimer: (() => void) | undefined
  #waiting: (() => void) | undefined
  #emittedTokens = 0

  constructor(windowBytes: number, emit: (frame: Piece) => void, clock: Clock = monotonicClock) {
    this.#windowBytes = windowBytes
    this.#emit = emit
    this.#clock = clock
  }

  /** Tokens in the frames so far. */
  get emittedTokens(): number {
    return this.#emittedTokens
  }

  /** True if what is ready does not fit into the window. */
  get blocked(): boolean {
    return this.#pieces.length > 0 && FRAME_HEADER_BYTES + this.#bytes > this.#windowBytes
  }

  push(given: Piece): void {
    const piece = fitting(given)
    this.#pieces.push(piece)
    this.#bytes += sizeOf(piece)
    this.#flushWhenDue()
  }

  /** More bytes may be sent. */
  grant(bytes: number): void {
    this.#windowBytes += bytes
    this.#flushWhenDue()
    this.#wake()
  }

  /** Resolves when generation may go on, or the signal is aborted. */
  async writable(signal: AbortSignal): Promise<void> {
    while (this.blocked && !signal.aborted) await this.#change(signal)
  }

  /** Sends what is left, as the window allows. */
  async finish(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.#flush()) continue
      if (this.#pieces.length === 0) break
      await this.#change(signal)
    }
    this.dispose()
  }

  /** Forgets what was not sent. */
  dispose(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    this.#pieces = []
    this.#bytes = 0
  }

  #flushWhenDue(): void {
    if (this.#pieces.length === 0) return
    const waitMs = this.#lastFrameAt + FRAME_INTERVAL_MS - this.#clock.now()
    if (waitMs <= 0 || this.#bytes >= EARLY_FRAME_BYTES) this.#flush()
    else
      this.#cancelTimer ??= this.#clock.after(waitMs, () => {
        this.#cancelTimer = undefined
        this.#flush()
      })
  }

  /** Sends the pieces that fit as one frame; false if none did. */
  #flush(): boolean {
    const room = Math.min(this.#windowBytes, MAX_FRAME_BYTES)
    let size = FRAME_HEADER_BYTES
    let count = 0
    for (const piece of this.#pieces) {
      const next = sizeOf(piece)
      if (size + next > room) break
      size += next
      count++
    }
    if (count === 0) return false
    const pieces = this.#pieces.splice(0, count)
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    this.#bytes -= size - FRAME_HEADER_BYTES
    const frame = join(pieces)
    this.#windowBytes -= FRAME_HEADER_BYTES + sizeOf(frame)
    this.#lastFrameAt = this.#clock.now()
    this.#emittedTokens += countOf(frame)
    this.#emit(frame)
    this.#wake()
    return true
  }

  async #change(signal: AbortSignal): Promise<void> {
    let wake = (): void => {}
    const woken = new Promise<void>((resolve) => {
      wake = resolve
    })
    this.#waiting = wake
    signal.addEventListener('abort', wake, { once: true })
    await woken
    signal.removeEventListener('abort', wake)
  }

  #wake(): void {
    this.#waiting?.()
    this.#waiting = undefined
  }
}

function join(pieces: readonly Piece[]): Piece {
  const isText = pieces.every(({ parts }) => parts === undefined)
  const logprobs = pieces.flatMap((piece) => piece.logprobs ?? [])
  return {
    text: isText ? pieces.map((piece) => piece.text).join('') : '',
    ...(!isText && { parts: joinParts(pieces.flatMap(partsOf)) }),
    tokenIds: pieces.flatMap((piece) => piece.tokenIds),
    ...(pieces.some(({ tokenCount }) => tokenCount !== undefined) && {
      tokenCount: pieces.reduce((sum, piece) => sum + countOf(piece), 0),
    }),
    ...(logprobs.length > 0 && { logprobs }),
  }
}

/**
 * A piece that fits into a frame: text that was held back for long may have more probabilities than one takes. The likely tokens go first, then the
 * probabilities themselves.
 */
function fitting(piece: Piece): Piece {
  const { logprobs, ...rest } = piece
  if (logprobs === undefined || fits(piece)) return piece
  const short = { ...rest, logprobs: logprobs.map((entry) => ({ ...entry, top: [] })) }
  return fits(short) ? short : rest
}

function fits(piece: Piece): boolean {
  return FRAME_HEADER_BYTES + sizeOf(piece) <= MAX_FRAME_BYTES
}

function partsOf({ parts, text }: Piece): readonly OutputPart[] {
  return parts ?? [{ type: 'text', text }]
}

/** Parts that go on where the one before ends are one. */
function joinParts(parts: readonly OutputPart[]): readonly OutputPart[] {
  const joined: OutputPart[] = []
  for (const part of parts) {
    const last = joined.at(-1)
    if (last !== undefined && last.type !== 'tool-call' && last.type === part.type)
      joined[joined.length - 1] = { ...last, text: last.text + part.text }
    else if (last?.type === 'tool-call' && part.type === 'tool-call' && isSameCall(last, part))
      joined[joined.length - 1] = { ...last, arguments: last.arguments + part.arguments }
    else joined.push(part)
  }
  return joined
}

function isSameCall(one: CallPart, next: CallPart): boolean {
  return next.name === undefined && next.index === one.index
}

function countOf({ tokenIds, tokenCount = tokenIds.length }: Piece): number {
  return tokenCount
}

/** Bytes of a piece in a frame of its own, without the header. Joined, pieces with logprobs take a little less. */
function sizeOf({ text, parts, tokenIds, logprobs }: Piece): number {
  const logprobBytes = logprobs === undefined ? 0 : logprobSize(logprobs)
  return (
    tokenIds.length * 4 + logprobBytes + Buffer.byteLength(parts === undefined ? text : JSON.stringify(parts))
  )
}
