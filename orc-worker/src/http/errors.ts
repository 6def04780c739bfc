import {
  type ErrorBody,
  type ErrorCode,
  type MessageErrorBody,
  errorType,
  messageError,
} from '@daisi/protocol'

/** HTTP status of every code. A new code does not compile until it stands here. */
export const STATUS: Readonly<Record<ErrorCode, number>> = {
  invalid_json: 400,
  invalid_request: 400,
  unsupported_parameter: 400,
  context_length_exceeded: 400,
  missing_credentials: 401,
  invalid_api_key: 401,
  login_failed: 401,
  insufficient_credits: 402,
  insufficient_scope: 403,
  network_not_allowed: 403,
  model_not_allowed: 403,
  origin_not_allowed: 403,
  forbidden: 403,
  cross_site_request: 403,
  login_too_old: 403,
  not_found: 404,
  login_not_configured: 404,
  method_not_allowed: 405,
  conflict: 409,
  request_in_progress: 409,
  request_already_processed: 409,
  session_closed: 409,
  body_too_large: 413,
  misdirected_request: 421,
  idempotency_key_reused: 422,
  upgrade_required: 426,
  rate_limited: 429,
  internal_error: 500,
  host_failed: 502,
  host_lost: 502,
  no_host_available: 503,
  all_hosts_busy: 503,
  model_loading: 503,
  storage_unavailable: 503,
  host_timeout: 504,
}

/**
 * Codes for which sending the same request again can help, and after how many seconds, where nobody knows better. For all others it
 * cannot; clients obey `x-should-retry` (rule K4).
 */
const RETRY_AFTER_SECONDS: Readonly<Partial<Record<ErrorCode, number>>> = {
  request_in_progress: 1,
  rate_limited: 1,
  host_failed: 1,
  host_lost: 1,
  host_timeout: 1,
  no_host_available: 5,
  all_hosts_busy: 2,
  model_loading: 5,
  storage_unavailable: 2,
}

/** A failure on its way to the caller. `code` is stable, the message says what to do next. */
export interface Failure {
  readonly code: ErrorCode
  readonly message: string
  /** The field at fault. */
  readonly param?: string
  readonly retryAfterSeconds?: number
  /** How far the model is loaded, for `model_loading`. */
  readonly percent?: number
}

/** Thrown inside the Worker, answered by `errorResponse` in one place. */
export class ApiError extends Error {
  readonly failure: Failure
  constructor(failure: Failure) {
    super(failure.message)
    this.name = 'ApiError'
    this.failure = failure
  }
}

/** The body of an error, in OpenAI's shape (rule E1). */
export function errorBody(failure: Failure): ErrorBody {
  const { code, message, param } = failure
  return { error: { message, type: errorType(STATUS[code]), code, param: param ?? null } }
}

/** The whole answer. */
export function errorResponse(failure: Failure): Response {
  return failureResponse(failure, errorBody(failure))
}

/** The same in Anthropic's shape (rule E3). */
export function messageErrorResponse(failure: Failure, requestId: string): Response {
  const status = STATUS[failure.code]
  return failureResponse(failure, messageError({ ...failure, status }, requestId))
}

function failureResponse(failure: Failure, body: ErrorBody | MessageErrorBody): Response {
  const headers = new Headers()
  const retryAfter = failure.retryAfterSeconds ?? RETRY_AFTER_SECONDS[failure.code]
  if (retryAfter !== undefined) headers.set('retry-after', String(retryAfter))
  // Whether a fault of ours stays, nobody knows.
  else if (failure.code !== 'internal_error') headers.set('x-should-retry', 'false')
  if (failure.percent !== undefined) headers.set('daisi-model-percent', String(failure.percent))
  // RFC 6750 §3: a refused credential is told which kind would do.
  if (STATUS[failure.code] === 401) headers.set('www-authenticate', 'Bearer')
  return Response.json(body, { status: STATUS[failure.code], headers })
}
