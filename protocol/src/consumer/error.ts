/**
 * Every code that a Consumer or owner can meet in `error.code`. Stable: clients may branch on it.
 * The meaning of each stands in PROTOCOL.md, rule E2.
 */
export type ErrorCode =
  | 'invalid_json'
  | 'invalid_request'
  | 'unsupported_parameter'
  | 'context_length_exceeded'
  | 'missing_credentials'
  | 'invalid_api_key'
  | 'login_failed'
  | 'insufficient_credits'
  | 'insufficient_scope'
  | 'network_not_allowed'
  | 'model_not_allowed'
  | 'origin_not_allowed'
  | 'forbidden'
  | 'cross_site_request'
  | 'login_too_old'
  | 'not_found'
  | 'login_not_configured'
  | 'method_not_allowed'
  | 'conflict'
  | 'idempotency_key_reused'
  | 'request_in_progress'
  | 'request_already_processed'
  | 'session_closed'
  | 'body_too_large'
  | 'misdirected_request'
  | 'upgrade_required'
  | 'rate_limited'
  | 'internal_error'
  | 'no_host_available'
  | 'all_hosts_busy'
  | 'model_loading'
  | 'host_failed'
  | 'host_lost'
  | 'host_timeout'
  | 'storage_unavailable'

/** The body of every error answer, in the shape OpenAI's clients expect. */
export interface ErrorBody {
  readonly error: {
    /** What happened and what to do next. */
    readonly message: string
    /** Broad class, as OpenAI names them, for instance `invalid_request_error`. */
    readonly type: string
    readonly code: ErrorCode
    /** The field at fault, as a path, or null. */
    readonly param: string | null
  }
}
