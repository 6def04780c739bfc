import type { OutputPart, TokenLogprob } from '@daisi/protocol'

/** Output with exactly the tokens that it was made of (F2). Never split, except by a stop string. */
export interface Piece {
  readonly text: string
  /** In place of the text, which is empty then: output that is more than text (F10). */
  readonly parts?: readonly OutputPart[]
  readonly tokenIds: readonly number[]
  /** Absent: as many as ids. */
  readonly tokenCount?: number
  /** One for each token, if the job asked for them. */
  readonly logprobs?: readonly TokenLogprob[]
}
