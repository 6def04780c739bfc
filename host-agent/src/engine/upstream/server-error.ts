/** What went wrong between this Host and a server that its owner runs. */
export type ServerErrorCode =
  /** No connection, or it broke. */
  | 'unreachable'
  /** Nothing came for too long. */
  | 'stalled'
  /** It answered with an HTTP error; see `status`. */
  | 'rejected'
  /** Its answer is not of the expected form, or too large. */
  | 'malformed'

/** What an HTTP error of a server says about the prompt, in numbers. Its text is left out: it may repeat the prompt. */
export interface ContextOverflow {
  readonly promptTokens: number | undefined
  readonly contextLength: number | undefined
}

/** A server could not be used. `message` has no word of prompts, answers or keys. */
export class ServerError extends Error {
  readonly code: ServerErrorCode
  /** HTTP status, where `code` is `rejected`. */
  readonly status: number | undefined
  /** Present if the prompt does not fit into the context. */
  readonly overflow: ContextOverflow | undefined

  constructor(
    code: ServerErrorCode,
    message: string,
    details: {
      readonly status?: number
      readonly overflow?: ContextOverflow | undefined
      readonly cause?: unknown
    } = {},
  ) {
    super(message, { cause: details.cause })
    this.code = code
    this.status = details.status
    this.overflow = details.overflow
  }
}
