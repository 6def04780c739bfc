import type { ErrorCode } from '@daisi/protocol'
import { type Failure, STATUS } from './errors.ts'

/** Error codes of RFC 6749 §5.2, RFC 8628 §3.5, and for our own troubles those of RFC 6749 §4.1.2.1. */
export type OAuthErrorCode =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_grant'
  | 'unsupported_grant_type'
  | 'authorization_pending'
  | 'slow_down'
  | 'access_denied'
  | 'expired_token'
  | 'temporarily_unavailable'
  | 'server_error'

/** Nothing here may be kept by anybody on the way (RFC 6749 §5.1). */
const NO_STORE = { 'cache-control': 'no-store', pragma: 'no-cache' }

/** An answer with something secret in it. */
export function oauthAnswer(body: object): Response {
  return Response.json(body, { headers: NO_STORE })
}

/** An error in the form of RFC 6749 §5.2. */
export function oauthError(
  code: OAuthErrorCode,
  description: string,
  options: { status?: number; headers?: Record<string, string> } = {},
): Response {
  const { status = code === 'invalid_client' ? 401 : 400, headers = {} } = options
  // The RFC's characters for descriptions have neither quotes nor backslashes.
  const error_description = description.replaceAll(/["\\]/g, "'")
  return Response.json({ error: code, error_description }, { status, headers: { ...NO_STORE, ...headers } })
}

/** A failure that was found before or behind an OAuth route, in OAuth's form. */
export function oauthFailure({ code, message, retryAfterSeconds }: Failure): Response {
  const status = STATUS[code]
  const headers: Record<string, string> =
    retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }
  return oauthError(oauthCode(code, status), message, { status, headers })
}

function oauthCode(code: ErrorCode, status: number): OAuthErrorCode {
  if (code === 'rate_limited') return 'slow_down'
  if (status === 503) return 'temporarily_unavailable'
  return status < 500 ? 'invalid_request' : 'server_error'
}
