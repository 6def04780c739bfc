import type { ErrorBody, ErrorCode } from '@daisi/protocol/consumer'
import type { CallScope } from './call-scope.ts'
import { DaisiError } from './error.ts'
import { parseJson } from './parse-json.ts'
import { retryAfterMs } from './retry.ts'

/** Codes after which a repetition may help, where no HTTP status says so: inside a stream. */
const retryableCodes: ReadonlySet<string> = new Set<ErrorCode>([
  'rate_limited',
  'request_in_progress',
  'internal_error',
  'no_host_available',
  'all_hosts_busy',
  'model_loading',
  'host_failed',
  'host_lost',
  'host_timeout',
  'storage_unavailable',
])

/** Characters that the body of an error may have. */
const MAX_ERROR_LENGTH = 65_536

/** The body of an error, or '' if it breaks off or is longer than an error can be: nobody fills the caller's memory with one. */
export async function errorText({ body }: Response, scope: CallScope): Promise<string> {
  const reader = body?.getReader()
  const decoder = new TextDecoder()
  let text = ''
  try {
    while (text.length <= MAX_ERROR_LENGTH) {
      const read = reader && (await scope.race(reader.read()))
      if (read?.value === undefined) return text
      text += decoder.decode(read.value, { stream: true })
    }
  } catch {
    // Its status is what counts.
  }
  void reader?.cancel().catch(() => undefined)
  return ''
}

/** Turns an answer other than 2xx into an error, whatever its body is. */
export function errorOfResponse(response: Response, body: string, now: number): DaisiError {
  const { status, headers } = response
  const error = errorOf(parseJson(body))
  const code = error?.code ?? 'invalid_response'
  const helps = status === 408 || status === 429 || status >= 500 || code === 'request_in_progress'
  return new DaisiError(error?.message ?? `HTTP ${status} without a DAISI error: is the baseURL an Orc's?`, {
    code,
    status,
    param: error?.param,
    requestId: headers.get('x-request-id'),
    retryAfterMs: retryAfterMs(headers, now),
    isRetryable: helps && headers.get('x-should-retry') !== 'false',
  })
}

/** The error inside a stream's event, or undefined if the event is something else. */
export function errorOfEvent(event: unknown, requestId: string | undefined): DaisiError | undefined {
  const error = errorOf(event)
  if (error === undefined) return undefined
  const { code, message, param } = error
  return new DaisiError(message, { code, param, requestId, isRetryable: retryableCodes.has(code) })
}

function errorOf(body: unknown): ErrorBody['error'] | undefined {
  if (typeof body !== 'object' || body === null) return undefined
  // The Responses API tells errors inside of a stream without a wrapping.
  if ('type' in body && body.type === 'error' && 'code' in body) return errorOf({ error: body })
  if (!('error' in body)) return undefined
  const { error } = body as Partial<ErrorBody>
  return typeof error?.code === 'string' ? error : undefined
}
