/** Why a model cannot be fetched. */
export type DownloadCode =
  /** The text names no model, or one in a form that is not supported. */
  | 'bad_reference'
  | 'model_not_found'
  /** 401 or 403. */
  | 'access_denied'
  | 'network_unreachable'
  /** The server answers, but not as a file server does, or not any more. */
  | 'server_failed'
  /** The file behind the address became another one while it was read. */
  | 'server_changed'
  | 'not_enough_disk'
  /** The folder cannot be written to. */
  | 'disk_failed'
  | 'hash_mismatch'
  | 'not_a_model'
  /** Given up as asked. What has arrived is kept. */
  | 'interrupted'

interface DownloadErrorDetails {
  readonly cause?: unknown
  /** True if trying again may help. */
  readonly transient?: boolean
  /** Milliseconds that the server asks to wait. */
  readonly retryAfterMs?: number | undefined
}

/** A model could not be fetched. `message` says what to do next; it holds no tokens and no queries of addresses. */
export class DownloadError extends Error {
  readonly code: DownloadCode
  readonly transient: boolean
  readonly retryAfterMs: number | undefined

  constructor(code: DownloadCode, message: string, details: DownloadErrorDetails = {}) {
    super(message, { cause: details.cause })
    this.code = code
    this.transient = details.transient ?? false
    this.retryAfterMs = details.retryAfterMs
  }
}

/** What the owner reads when `signal` ended it. */
export function interrupted(cause?: unknown): DownloadError {
  return new DownloadError('interrupted', 'the download was stopped; start it again and it goes on', {
    cause,
  })
}
