import type { FinishReason } from '@daisi/protocol'
import type { ServerUsage } from './checked-usage.ts'

/** What one event of a streamed answer says. */
export interface AnswerChunk {
  readonly text?: string
  /** What the model thinks. */
  readonly reasoning?: string
  readonly calls?: readonly CallPiece[]
  /** Present on the last chunk with a choice. */
  readonly finishReason?: FinishReason | undefined
  readonly usage?: ServerUsage | undefined
  /** True for the event that ends the stream. */
  readonly isDone?: boolean
}

/** A piece of a call of a tool, with the server's own number and id of it. */
export interface CallPiece {
  readonly index: number | undefined
  readonly id: string | undefined
  readonly name: string | undefined
  readonly arguments: string
}
