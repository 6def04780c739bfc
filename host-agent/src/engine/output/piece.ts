import type { TokenLogprob } from '@daisi/protocol'

/** Text with exactly the tokens that it was made of (F2). Never split, except by a stop string. */
export interface Piece {
  readonly text: string
  readonly tokenIds: readonly number[]
  /** Absent: as many as ids. */
  readonly tokenCount?: number
  /** One for each token, if the job asked for them. */
  readonly logprobs?: readonly TokenLogprob[]
}
