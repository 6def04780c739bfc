import type { RefusalCode } from '../host/job.ts'

// What a Host serves to Consumers at its `endpoint`. PROTOCOL.md, section D, has the rules.

/** A chat, with OpenAI's body and `stream: true` (D4). */
export const DIRECT_CHAT_PATH = '/v1/chat/completions'
/** Where acknowledgements go, as `text/plain`, so that a browser need not ask first (D6). */
export const DIRECT_ACKNOWLEDGE_PATH = '/daisi/v1/acknowledgements'

/** Headers of the answer: what is needed to acknowledge it. */
export const DIRECT_PROMPT_TOKENS_HEADER = 'daisi-prompt-tokens'
export const DIRECT_CACHED_TOKENS_HEADER = 'daisi-cached-tokens'

/** Generated tokens of all Jobs of a Session token together that may be unacknowledged (D5). */
export const DIRECT_WINDOW_TOKENS = 64
/** Milliseconds that a Host waits for the last acknowledgement before it reports the Job. */
export const DIRECT_LAST_ACKNOWLEDGEMENT_MS = 5_000
/** Seconds after its expiry in which Jobs of a Session token may still end and be reported (D8). */
export const DIRECT_REPORT_SECONDS = 15 * 60

/** Codes of a Host's own errors at its endpoint, in OpenAI's error shape. */
export type DirectErrorCode =
  | RefusalCode
  | 'missing_credentials'
  | 'proof_invalid'
  | 'unacknowledged'
  | 'invalid_request'
  | 'invalid_json'
  | 'unsupported_parameter'
  | 'body_too_large'
  | 'not_found'
  | 'method_not_allowed'
  | 'rate_limited'
