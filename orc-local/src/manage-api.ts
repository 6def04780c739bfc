import type { ErrorBody } from '@daisi/protocol/consumer'
import { messageOf, systemCode } from './errors.ts'
import { ExitCode, Failure } from './exit-codes.ts'
import { PinMismatch, requestOrc } from './pinned-https.ts'

/** An Orc's answer that is an error. `code` is the protocol's (rule E2). */
export class RequestFailure extends Failure {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, message: string) {
    super(ExitCode.Request, message)
    this.status = status
    this.code = code
  }
}

/** The management routes of an Orc, as one credential, or none, sees them. */
export interface ManageApi {
  readonly get: <T>(path: string) => Promise<T>
  readonly post: <T>(path: string, body: unknown) => Promise<T>
  readonly put: <T>(path: string, body: unknown) => Promise<T>
  readonly delete: (path: string) => Promise<void>
}

/**
 * Speaks to an Orc's management routes, with a pin only to the one that has that certificate. The answer's type is the
 * caller's knowledge of the protocol.
 */
export function manageApi(orcUrl: string, token: string | undefined, pin?: string): ManageApi {
  const send = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const url = new URL(path, orcUrl)
    const headers = {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    }
    const init = body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) }
    let response: Response
    try {
      response = await requestOrc(url, init, pin)
    } catch (cause) {
      throw unreachable(url, cause)
    }
    const text = await response.text()
    if (!response.ok) throw toFailure(response.status, text, url)
    const answer: T = JSON.parse(text === '' ? 'null' : text)
    return answer
  }
  return {
    get: (path) => send('GET', path),
    post: (path, body) => send('POST', path, body),
    put: (path, body) => send('PUT', path, body),
    delete: (path) => send('DELETE', path),
  }
}

function unreachable(url: URL, cause: unknown): Failure {
  if (cause instanceof PinMismatch) {
    return new Failure(
      ExitCode.Certificate,
      `The Orc at ${url.origin} is not the expected one: ${cause.message}.`,
      {
        cause,
      },
    )
  }
  const hint =
    systemCode(cause instanceof Error ? cause.cause : undefined) === 'DEPTH_ZERO_SELF_SIGNED_CERT'
      ? 'Give the fingerprint that it prints at its start with --pin.'
      : 'Is it running?'
  return new Failure(
    ExitCode.Request,
    `The Orc at ${url.origin} cannot be reached (${reason(cause)}). ${hint}`,
    {
      cause,
    },
  )
}

function toFailure(status: number, text: string, url: URL): RequestFailure {
  try {
    const { error }: ErrorBody = JSON.parse(text)
    return new RequestFailure(status, error.code, `${error.message} (${error.code})`)
  } catch {
    return new RequestFailure(
      status,
      'invalid_response',
      `${url.href} answered ${status}, and not as an Orc does.`,
    )
  }
}

/** fetch hides the reason in the cause. */
function reason(error: unknown): string {
  return error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : messageOf(error)
}
