import type { SessionFailure } from './types.ts'

/** Unknown and revoked keys are answered alike (rule A1). */
export const INVALID_KEY = refusal(
  'invalid_api_key',
  'This key is not valid here. Check it, or create a new one.',
)

export const UNKNOWN_SESSION = refusal(
  'not_found',
  'There is no such Session. Open one with POST /v1/sessions.',
)

export const SESSION_CLOSED = refusal(
  'session_closed',
  'This Session is closed. Open a new one with POST /v1/sessions.',
)

export const NETWORK_NOT_ALLOWED = refusal(
  'network_not_allowed',
  'This key may not use this Network. Name another with the header Daisi-Network.',
)

export const STORAGE_UNAVAILABLE: SessionFailure = {
  ...refusal(
    'storage_unavailable',
    'The credits could not be looked after in time. Nothing was charged. Try again.',
  ),
  retryAfterSeconds: 2,
}

/** A refusal with its stable code and a message that says what to do next. */
export function refusal(code: SessionFailure['code'], message: string): SessionFailure {
  return { ok: false, code, message }
}
