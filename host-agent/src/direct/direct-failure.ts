import type { DirectErrorCode } from '@daisi/protocol'

/** HTTP status of every code of a Host's own endpoint. A new code does not compile until it stands here. */
const STATUS: Readonly<Record<DirectErrorCode, number>> = {
  invalid_json: 400,
  invalid_request: 400,
  invalid_payload: 400,
  unsupported_parameter: 400,
  unsupported_kind: 400,
  unsupported_sealed: 400,
  context_length_exceeded: 400,
  missing_credentials: 401,
  proof_invalid: 401,
  token_invalid: 401,
  token_expired: 401,
  token_audience: 401,
  token_network: 401,
  token_budget: 402,
  not_found: 404,
  method_not_allowed: 405,
  job_replayed: 409,
  unacknowledged: 409,
  body_too_large: 413,
  rate_limited: 429,
  engine_failed: 502,
  busy: 503,
  draining: 503,
  model_not_loaded: 503,
  model_loading: 503,
  declined: 503,
}

/** Why a request is not served. `code` is stable, the message says what to do next. */
export interface DirectFailure {
  readonly ok: false
  readonly code: DirectErrorCode
  readonly message: string
  /** The field at fault. */
  readonly param?: string
}

export function failure(code: DirectErrorCode, message: string, param?: string): DirectFailure {
  return { ok: false, code, message, ...(param !== undefined && { param }) }
}

/** Somebody without a token that counts here learns nothing more than this. */
export function unknownIssuer(): DirectFailure {
  return failure('token_invalid', 'the session token is not one for this Host; request a new one')
}

/** The body of an error, in OpenAI's shape (rule E1). */
export function failureBody({ code, message, param }: Omit<DirectFailure, 'ok'>): object {
  return { error: { message, type: typeOf(STATUS[code]), code, param: param ?? null } }
}

/** Status and further headers of an error. Challenges follow RFC 9449 §7.1. */
export function failureHead(code: DirectErrorCode): {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
} {
  const status = STATUS[code]
  const headers: Record<string, string> = {}
  if (status === 401) {
    const reason = code === 'proof_invalid' ? 'invalid_dpop_proof' : 'invalid_token'
    const error = code === 'missing_credentials' ? '' : `error="${reason}", `
    headers['www-authenticate'] = `DPoP ${error}algs="EdDSA Ed25519"`
  }
  if (status === 503 || status === 429) headers['retry-after'] = '1'
  return { status, headers }
}

function typeOf(status: number): string {
  if (status === 401) return 'authentication_error'
  if (status === 402) return 'insufficient_quota'
  if (status === 429) return 'rate_limit_error'
  return status < 500 ? 'invalid_request_error' : 'server_error'
}
