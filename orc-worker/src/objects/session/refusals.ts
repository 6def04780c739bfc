import { retryAfterSeconds } from '../../domain/token-bucket.ts'
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
  'This key may not use this Network from here. Name another with the header Daisi-Network.',
)

export const MODEL_NOT_ALLOWED = refusal(
  'model_not_allowed',
  'This key may not use this model. GET /v1/models lists those that it may.',
)

export const ORIGIN_NOT_ALLOWED = refusal(
  'origin_not_allowed',
  'This token is for pages of other origins. Mint one whose `origins` name this one.',
)

export const STORAGE_UNAVAILABLE: SessionFailure = {
  ...refusal(
    'storage_unavailable',
    'The credits could not be looked after in time. Nothing was charged. Try again.',
  ),
  retryAfterSeconds: 2,
}

/** A key has as many Sessions and browser tokens as it can have. The next of them ends in `roomInMs`. */
export function tooManyOpened(most: number, roomInMs: number): SessionFailure {
  const seconds = retryAfterSeconds(roomInMs)
  const message = `This key has ${most} Sessions and browser tokens open. Close a Session or wait ${seconds} s until the next ends.`
  return { ...refusal('rate_limited', message), retryAfterSeconds: seconds }
}

/** A refusal with its stable code and a message that says what to do next. */
export function refusal(code: SessionFailure['code'], message: string): SessionFailure {
  return { ok: false, code, message }
}
