import type { Piece } from '../output/piece.ts'

/** Characters of the longest token that a vocabulary has. */
const LONGEST_TOKEN = 1_024

/**
 * Text as pieces of which each has at least one token: a server tells no tokens, but a chunk with text has one, and more
 * where it is longer than any token. Pieces end between characters.
 */
export function textPieces(text: string): readonly Piece[] {
  const pieces: Piece[] = []
  let start = 0
  while (start < text.length) {
    let end = Math.min(text.length, start + LONGEST_TOKEN)
    const last = text.charCodeAt(end - 1)
    if (end < text.length && last >= 0xd8_00 && last <= 0xdb_ff) end--
    pieces.push({ text: text.slice(start, end), tokenIds: [], tokenCount: 1 })
    start = end
  }
  return pieces
}
