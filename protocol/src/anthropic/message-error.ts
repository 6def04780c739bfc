import type Anthropic from '@anthropic-ai/sdk'
import * as z from 'zod'
import { errorCode } from '../consumer/error.schema.ts'

/** Anthropic's class of an error with this HTTP status: `error.type`. */
export function messageErrorType(status: number): Anthropic.ErrorType | 'request_too_large' {
  return TYPES[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error')
}

const TYPES: Readonly<Record<number, Anthropic.ErrorType | 'request_too_large'>> = {
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  409: 'conflict_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  504: 'timeout_error',
}

/** What is told of a failure. */
interface MessageFailure {
  readonly code: string
  readonly status: number
  readonly message: string
  readonly param?: string | undefined
}

/** An error in Anthropic's shape (rule E3). `code` and `param` are ours. */
export interface MessageErrorBody {
  readonly type: 'error'
  readonly error: {
    readonly type: Anthropic.ErrorType | 'request_too_large'
    readonly message: string
    readonly code: string
    readonly param: string | null
  }
  readonly request_id: string
}

/** The body of an error, and the data of the event that ends a stream which cannot go on. */
export function messageError(
  { code, status, message, param }: MessageFailure,
  requestId: string,
): MessageErrorBody {
  const error = { type: messageErrorType(status), message, code, param: param ?? null }
  const body: MessageErrorBody = { type: 'error', error, request_id: requestId }
  // Its documentation knows one type more than its published types.
  return body satisfies Omit<Anthropic.ErrorResponse, 'error'>
}

/** The body of every error answer in Anthropic's shape (rule E3). */
export const messageErrorAnswer = z.object({
  type: z.literal('error'),
  error: z.object({
    type: z.string(),
    message: z.string(),
    code: errorCode,
    param: z.string().nullable(),
  }),
  request_id: z.string(),
})
