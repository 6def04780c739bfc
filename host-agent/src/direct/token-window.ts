import { DIRECT_WINDOW_TOKENS, FRAME_HEADER_BYTES } from '@daisi/protocol'

/** Bytes of a token id in a frame: no token takes fewer. */
const ID_BYTES = 4

/** Bytes of frames that a job begins with: what 64 tokens take at least. */
export const FIRST_GRANT_BYTES = FRAME_HEADER_BYTES + ID_BYTES * DIRECT_WINDOW_TOKENS

/**
 * How far a job may go beyond what its Consumer acknowledged (D5): never more than 64 unacknowledged tokens are handed out.
 *
 * The engine counts bytes of frames, so it is granted what the tokens that may still be handed out take at least, their ids:
 * no frame has more tokens than there is room for, and generated ahead of the 64 is only the piece on which the engine stops
 * (one token, or those of an unfinished character or a possible stop string). Texts make it stop a little earlier, and
 * the less room there is, the shorter a single one may be: with 31 tokens open, as a Consumer may leave them that acknowledges
 * every half window, 128 bytes, which is the longest in vocabularies.
 */
export class TokenWindow {
  #sent = 0
  #acknowledged = 0
  #aheadBytes = FIRST_GRANT_BYTES

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
    return this.open > DIRECT_WINDOW_TOKENS / 2
  }

  /** True if a piece of so many tokens may be handed out. An engine that keeps to its grants makes no other; a larger one would go alone. */
  fits(tokens: number): boolean {
    return this.open === 0 || this.open + tokens <= DIRECT_WINDOW_TOKENS
  }

  /** The engine made a frame of so many bytes. */
  produced(tokens: number, text: string): void {
    this.#aheadBytes -= FRAME_HEADER_BYTES + ID_BYTES * tokens + Buffer.byteLength(text)
  }

  handedOut(tokens: number): void {
    this.#sent += tokens
  }

  /** Takes a total; false if it is not more than before. */
  acknowledge(total: number): boolean {
    if (total <= this.#acknowledged) return false
    this.#acknowledged = total
    return true
  }

  /** Bytes to grant the engine now, or 0. */
  nextGrant(): number {
    const bytes = Math.max(0, this.#targetBytes() - this.#aheadBytes)
    this.#aheadBytes += bytes
    return bytes
  }

  #targetBytes(): number {
    const room = DIRECT_WINDOW_TOKENS - this.open
    if (room <= 0) return 0
    return FRAME_HEADER_BYTES + ID_BYTES * room
  }
}
