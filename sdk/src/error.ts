import type { ErrorCode } from '@daisi/protocol/consumer'

/**
 * Failures that the SDK itself notices.
 * - `connection_error`: no answer came, or the connection broke while a whole answer was read.
 * - `timeout`: `timeoutMs` passed.
 * - `aborted`: the caller's signal fired, or the stream was left.
 * - `invalid_response`: what came is not an Orc's answer; a proxy, or a wrong `baseURL`.
 * - `stream_interrupted`: a stream ended before its answer did.
 * - `direct_unavailable`: no Direct Connection can be made here; the message says why.
 * - `invalid_output`: an answer does not fit the schema that it was asked for with.
 * - `max_turns_exceeded`: a model goes on calling tools.
 * - `host_dishonest`: in a Direct Connection, the Host counted more tokens than there can be, and was left.
 */
export type SdkErrorCode =
  | 'connection_error'
  | 'timeout'
  | 'aborted'
  | 'invalid_response'
  | 'stream_interrupted'
  | 'direct_unavailable'
  | 'host_dishonest'
  | 'invalid_output'
  | 'max_turns_exceeded'

/** Every code known to this version. An Orc newer than the SDK may send others, hence the open end. */
export type DaisiErrorCode = ErrorCode | SdkErrorCode | (string & Record<never, never>)

/** What a {@link DaisiError} carries beside its message. */
export interface DaisiErrorDetails {
  readonly code: DaisiErrorCode
  readonly isRetryable: boolean
  readonly status?: number | undefined
  readonly param?: string | null | undefined
  readonly requestId?: string | null | undefined
  readonly retryAfterMs?: number | undefined
  readonly cause?: unknown
}

const marker = Symbol.for('daisi-sdk.error')

/**
 * The one error of this SDK. Branch on `code`, which is stable; `message` is for people.
 *
 * @example
 * ```ts
 * try {
 *   await daisi.chat.create({ model, messages })
 * } catch (error) {
 *   if (DaisiError.isInstance(error) && error.code === 'insufficient_credits') showTopUp()
 *   else throw error
 * }
 * ```
 */
export class DaisiError extends Error {
  /** What went wrong. */
  readonly code: DaisiErrorCode
  /** HTTP status of the answer; absent if none came, and for an error inside a stream. */
  readonly status: number | undefined
  /** The field of the request at fault, if one is. */
  readonly param: string | undefined
  /** The Orc's name for the request, for asking its operator. */
  readonly requestId: string | undefined
  /** Milliseconds after which the Orc expects a repetition to help. */
  readonly retryAfterMs: number | undefined
  /**
   * Whether the same request may succeed if it is made again. A new call has a new `Idempotency-Key`: pass your own
   * as `idempotencyKey` to both calls and they are charged at most once together.
   */
  readonly isRetryable: boolean

  static {
    Object.defineProperty(this.prototype, marker, { value: true })
    Object.defineProperty(this.prototype, 'name', { value: 'DaisiError' })
  }

  /** Made by the SDK; public so that an application's tests can make one too. */
  constructor(message: string, details: DaisiErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = details.code
    this.status = details.status
    this.param = details.param ?? undefined
    this.requestId = details.requestId ?? undefined
    this.retryAfterMs = details.retryAfterMs
    this.isRetryable = details.isRetryable
  }

  /** Like `instanceof`, and true for errors of another installed copy of this package too. */
  static isInstance(value: unknown): value is DaisiError {
    return typeof value === 'object' && value !== null && marker in value
  }
}

/** The caller's own mistake, noticed before anything is sent. */
export function invalidArgument(param: string, message: string, cause?: unknown): DaisiError {
  return new DaisiError(message, { code: 'invalid_request', isRetryable: false, param, cause })
}

/** A 2xx answer that makes no sense. Never sent again: the work behind it may be done and charged. */
export function invalidResponse(
  message: string,
  { status }: Response,
  requestId: string | undefined,
): DaisiError {
  return new DaisiError(message, { code: 'invalid_response', isRetryable: false, status, requestId })
}

/** A stream that stopped before its answer did. */
export function interrupted(requestId: string | undefined, cause?: unknown): DaisiError {
  const message = 'The stream ended before the answer did.'
  return new DaisiError(message, { code: 'stream_interrupted', isRetryable: true, requestId, cause })
}
