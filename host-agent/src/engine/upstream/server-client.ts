import type * as z from 'zod'
import { type Clock, monotonicClock } from '../../clock.ts'
import { type BodyLimits, readAll } from './read-body.ts'
import { readOverflow } from './read-overflow.ts'
import { ServerError } from './server-error.ts'

/** Time for an answer that costs the server no work. */
const QUESTION_TIMEOUT_MS = 10_000
/** Largest answer to a question, in bytes. */
const MOST_ANSWER_BYTES = 4 * 1024 * 1024
/** Bytes of an error's body that are looked at. */
const MOST_ERROR_BYTES = 64 * 1024

/** How one request is made. */
export interface RequestOptions {
  readonly signal: AbortSignal
  /** Sent as JSON by POST; without it the request is a GET. */
  readonly body?: unknown
  /** Milliseconds until the answer begins, and between two of its parts. */
  readonly gapTimeoutMs?: number
  readonly mostBytes?: number
}

/** A server that answered with success. Its body is still to be read. */
export interface OpenAnswer {
  readonly contentType: string
  readonly body: ReadableStream<Uint8Array>
  readonly limits: BodyLimits
}

/**
 * HTTP to one server. Redirects are not followed: the owner named this address and no other, and the key is for it alone.
 * Each call throws a `ServerError`, or the signal's reason once that is aborted.
 */
export class ServerClient {
  /** Where the server is. */
  readonly url: string
  readonly clock: Clock
  readonly #authorization: string | undefined

  constructor(url: string, authorization?: string, clock: Clock = monotonicClock) {
    this.url = url
    this.clock = clock
    this.#authorization = authorization
  }

  /** An answer in JSON that fits the schema. */
  async json<Value>(path: string, schema: z.ZodType<Value>, options: RequestOptions): Promise<Value> {
    const bytes = await this.bytes(path, options)
    const parsed = schema.safeParse(parseJson(bytes))
    if (parsed.success) return parsed.data
    throw new ServerError(
      'malformed',
      `${path} did not answer as expected; check that the kind of server is right`,
    )
  }

  /** A whole answer. */
  async bytes(path: string, options: RequestOptions): Promise<Buffer> {
    const { body, limits } = await this.open(path, options)
    return readAll(body, limits)
  }

  /** The beginning of an answer. Aborting the signal breaks the connection off at any time. */
  async open(path: string, options: RequestOptions): Promise<OpenAnswer> {
    const { signal, body, gapTimeoutMs = QUESTION_TIMEOUT_MS, mostBytes = MOST_ANSWER_BYTES } = options
    const response = await this.#fetch(path, signal, gapTimeoutMs, body)
    const limits = { clock: this.clock, gapTimeoutMs, mostBytes, signal }
    if (!response.ok) throw await rejection(path, response, limits)
    if (Number(response.headers.get('content-length') ?? 0) > mostBytes) {
      await response.body?.cancel()
      throw new ServerError('malformed', `${path} answered with more than ${mostBytes} bytes`)
    }
    if (response.body === null) throw new ServerError('malformed', `${path} answered without a body`)
    return { contentType: response.headers.get('content-type') ?? '', body: response.body, limits }
  }

  async #fetch(path: string, signal: AbortSignal, timeoutMs: number, body: unknown): Promise<Response> {
    const timeout = new AbortController()
    const cancel = this.clock.after(timeoutMs, () => timeout.abort())
    try {
      return await fetch(this.url + path, {
        redirect: 'error',
        signal: AbortSignal.any([signal, timeout.signal]),
        headers: {
          accept: '*/*',
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...(this.#authorization !== undefined && { authorization: this.#authorization }),
        },
        ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
      })
    } catch (cause) {
      signal.throwIfAborted()
      if (timeout.signal.aborted)
        throw new ServerError('stalled', `${path} was not answered within ${timeoutMs} ms`, { cause })
      throw new ServerError('unreachable', 'the server does not answer; is it running?', { cause })
    } finally {
      cancel()
    }
  }
}

async function rejection(path: string, response: Response, limits: BodyLimits): Promise<ServerError> {
  const { status, body } = response
  const text =
    body === null
      ? Buffer.alloc(0)
      : await readAll(body, { ...limits, mostBytes: MOST_ERROR_BYTES }).catch(() => undefined)
  limits.signal.throwIfAborted()
  const overflow = text && readOverflow(parseJson(text))
  const advice = status === 401 || status === 403 ? '; give it the API key with #key-env=NAME' : ''
  return new ServerError('rejected', `${path} answered HTTP ${status}${advice}`, { status, overflow })
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString())
  } catch {
    return undefined
  }
}
