import { openLength } from './open-length.ts'
import type { Piece } from './piece.ts'

/**
 * Ends an answer before the first stop string. Pieces in which a stop string may have begun are held until that is
 * decided, so that no part of a stop string is ever delivered. The stop string that is complete first wins, whatever the
 * tokens are.
 */
export class StopMatcher {
  readonly #stops: readonly string[]
  #held: Piece[] = []
  #text = ''

  constructor(stops: readonly string[]) {
    this.#stops = stops.filter((stop) => stop !== '')
  }

  /** Takes a piece and returns the pieces that are free to go; `stopped` when a stop string is complete. */
  push(piece: Piece): { readonly pieces: readonly Piece[]; readonly stopped: boolean } {
    if (this.#stops.length === 0) return { pieces: [piece], stopped: false }
    this.#held.push(piece)
    this.#text += piece.text
    const start = this.#findStop()
    if (start !== undefined) return { pieces: this.#cutAt(start), stopped: true }
    return { pieces: this.#take(this.#text.length - openLength(this.#text, this.#stops)), stopped: false }
  }

  /** Everything held: the answer ended without the rest of a stop string. */
  flush(): readonly Piece[] {
    const pieces = this.#held
    this.#held = []
    this.#text = ''
    return pieces
  }

  /** Where the stop string begins that is complete first. */
  #findStop(): number | undefined {
    let best: { start: number; end: number } | undefined
    for (const stop of this.#stops) {
      const start = this.#text.indexOf(stop)
      if (start < 0) continue
      const end = start + stop.length
      if (best === undefined || end < best.end || (end === best.end && start < best.start))
        best = { start, end }
    }
    return best?.start
  }

  /** Removes the whole pieces that lie before `length`. */
  #take(length: number): Piece[] {
    let taken = 0
    let count = 0
    for (const piece of this.#held) {
      if (taken + piece.text.length > length) break
      taken += piece.text.length
      count++
    }
    this.#text = this.#text.slice(taken)
    return this.#held.splice(0, count)
  }

  /** The pieces before `start`; of the piece that contains it, the text before it with all of its tokens. */
  #cutAt(start: number): Piece[] {
    const pieces: Piece[] = []
    let left = start
    for (const piece of this.flush()) {
      if (left <= 0) break
      pieces.push({ ...piece, text: piece.text.slice(0, left) })
      left -= piece.text.length
    }
    return pieces
  }
}
