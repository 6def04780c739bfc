import type { OutputPart } from '@daisi/protocol'
import type { Piece } from '../output/piece.ts'

/** Characters of the longest token that a vocabulary has. */
const LONGEST_TOKEN = 1_024

/**
 * Text as pieces of which each has at least one token: a server tells no tokens, but a chunk with text has one, and more
 * where it is longer than any token. Pieces end between characters.
 */
export function textPieces(text: string): readonly Piece[] {
  return cut(text).map((piece) => ({ text: piece, tokenIds: [], tokenCount: 1 }))
}

/** The same of what the model thinks. */
export function reasoningPieces(text: string): readonly Piece[] {
  return cut(text).map((piece) => partPiece({ type: 'reasoning', text: piece }))
}

/** The same of a part of a call. The name is in its first piece. */
export function callPieces(part: Extract<OutputPart, { type: 'tool-call' }>): readonly Piece[] {
  const [first, ...rest] = cut(part.arguments)
  if (first === undefined && part.name === undefined) return []
  const { index } = part
  return [
    partPiece({ ...part, arguments: first ?? '' }),
    ...rest.map((piece) => partPiece({ type: 'tool-call', index, arguments: piece })),
  ]
}

function partPiece(part: OutputPart): Piece {
  return { text: '', parts: [part], tokenIds: [], tokenCount: 1 }
}

function cut(text: string): readonly string[] {
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
