import { DIRECT_WINDOW_TOKENS, FRAME_HEADER_BYTES } from '@daisi/protocol'

/** Bytes of a token id in a frame: no token takes fewer. */
const ID_BYTES = 4

/** What all jobs of one Session token leave unacknowledged together: they share one window (D5). */
export class SharedWindow {
  readonly #listeners = new Set<() => void>()
  #open = 0

  /** Tokens handed out and not acknowledged. */
  get open(): number {
    return this.#open
  }

  /** Tokens that may still be handed out. */
  get room(): number {
    return Math.max(0, DIRECT_WINDOW_TOKENS - this.#open)
  }

  handedOut(tokens: number): void {
    this.#open += tokens
  }

  acknowledged(tokens: number): void {
    this.#open -= tokens
    for (const listener of this.#listeners) listener()
  }

  /** Calls `listener` after each acknowledgement of any of the jobs; returns the function that stops it. */
  onAcknowledged(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}

/**
 * How far a job may go beyond what its Consumer acknowledged (D5): never more than 64 unacknowledged tokens of all jobs of its
 * Session token are handed out.
 *
 * The engine counts bytes of frames, so it is granted what the tokens that may still be handed out take at least, their ids:
 * no frame has more tokens than there is room for, and generated ahead of the 64 is only the piece on which the engine stops
 * (one token, or those of an unfinished character or a possible stop string). Texts make it stop a little earlier, and
 * the less room there is, the shorter a single one may be: with 31 tokens open, as a Consumer may leave them that acknowledges
 * every half window, 128 bytes, which is the longest in vocabularies.
 */
export class TokenWindow {
  readonly shared: SharedWindow
  /** Bytes of frames that the job begins with. */
  readonly firstGrantBytes: number
  #sent = 0
  #acknowledged = 0
  #aheadBytes: number

  constructor(shared: SharedWindow = new SharedWindow()) {
    this.shared = shared
    this.#aheadBytes = this.firstGrantBytes = grantFor(shared.room)
  }

  /** Tokens handed out. */
  get sent(): number {
    return this.#sent
  }

  get acknowledged(): number {
    return this.#acknowledged
  }

  /** Tokens handed out and not acknowledged. */
  get open(): number {
    return this.#sent - this.#acknowledged
  }

  /** True if so much is unacknowledged that the engine may soon have to wait. */
  get isNarrow(): boolean {
    return this.shared.open > DIRECT_WINDOW_TOKENS / 2
  }

  /** True if a piece of so many tokens may be handed out. An engine that keeps to its grants makes no larger one; it would go alone. */
  fits(tokens: number): boolean {
    return this.shared.open === 0 || tokens <= this.shared.room
  }

  /** The engine made a frame of so many bytes. */
  produced(tokens: number, text: string): void {
    this.#aheadBytes -= FRAME_HEADER_BYTES + ID_BYTES * tokens + Buffer.byteLength(text)
  }

  handedOut(tokens: number): void {
    this.#sent += tokens
    this.shared.handedOut(tokens)
  }

  /** Takes a total; false if it is not more than before. */
  acknowledge(total: number): boolean {
    const more = total - this.#acknowledged
    if (more <= 0) return false
    this.#acknowledged = total
    this.shared.acknowledged(more)
    return true
  }

  /** Bytes to grant the engine now, or 0. */
  nextGrant(): number {
    const { room } = this.shared
    const bytes = room === 0 ? 0 : Math.max(0, grantFor(room) - this.#aheadBytes)
    this.#aheadBytes += bytes
    return bytes
  }
}

function grantFor(tokens: number): number {
  return FRAME_HEADER_BYTES + ID_BYTES * tokens
}
