import * as z from 'zod'
import type { ErrorBody, ErrorCode } from './error.ts'

const ERROR_CODES = [
  'invalid_json',
  'invalid_request',
  'unsupported_parameter',
  'context_length_exceeded',
  'missing_credentials',
  'invalid_api_key',
  'login_failed',
  'insufficient_credits',
  'insufficient_scope',
  'network_not_allowed',
  'model_not_allowed',
  'origin_not_allowed',
  'forbidden',
  'cross_site_request',
  'login_too_old',
  'not_found',
  'login_not_configured',
  'method_not_allowed',
  'conflict',
  'idempotency_key_reused',
  'request_in_progress',
  'request_already_processed',
  'session_closed',
  'body_too_large',
  'misdirected_request',
  'upgrade_required',
  'rate_limited',
  'internal_error',
  'no_host_available',
  'all_hosts_busy',
  'model_loading',
  'host_failed',
  'host_lost',
  'host_timeout',
  'storage_unavailable',
] as const satisfies readonly ErrorCode[]

export const errorCode = z.enum(ERROR_CODES) satisfies z.ZodType<ErrorCode>

/** The body of every error answer in OpenAI's shape (rule E1). */
export const errorAnswer = z.object({
  error: z.object({
    message: z.string(),
    type: z.string(),
    code: errorCode,
    param: z.string().nullable(),
  }),
}) satisfies z.ZodType<ErrorBody>
