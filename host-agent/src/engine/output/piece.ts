/** Text with exactly the tokens that it was made of (F2). Never split, except by a stop string. */
export interface Piece {
  readonly text: string
  readonly tokenIds: readonly number[]
}
