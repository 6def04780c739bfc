import { apiRoot } from './base-url.ts'
import { CallScope } from './call-scope.ts'
import type { Call, OpenCall } from './call.ts'
import { systemClock, type Clock } from './clock.ts'
import { errorOfResponse, errorText } from './error-response.ts'
import { DaisiError, invalidArgument, invalidResponse } from './error.ts'
import type { DaisiOptions, OutgoingRequest, RequestOptions } from './options.ts'
import { parseJson } from './parse-json.ts'
import { requestHeaders } from './request-headers.ts'
import { retryWaitMs } from './retry.ts'

const DEFAULT_TIMEOUT_MS = 600_000
const DEFAULT_MAX_RETRIES = 2

/** Sends requests, again where that helps and is safe. Holds no state between calls. */
export class Transport {
  readonly #options: DaisiOptions
  readonly #root: string
  readonly #clock: Clock

  constructor(options: DaisiOptions, clock: Clock = systemClock) {
    if (!options.apiKey) throw missingKey()
    this.#root = apiRoot(options.baseURL)
    this.#options = options
    this.#clock = clock
  }

  /** The whole answer, whose `object` must be the expected one. */
  json<T extends { readonly object: string }>(
    call: Call,
    object: T['object'],
    options: RequestOptions | undefined,
  ): Promise<T> {
    return this.value(call, (value): value is T => isTagged<T>(value, object), options)
  }

  /** The whole answer, which must be what `isAnswer` knows. */
  async value<T>(
    call: Call,
    isAnswer: (value: unknown) => value is T,
    options: RequestOptions | undefined,
  ): Promise<T> {
    const { response, scope, requestId } = await this.open(call, options)
    try {
      const value = parseJson(await scope.race(response.text()))
      if (isAnswer(value)) return value
      throw invalidResponse(`The answer to ${call.path} is not what was asked for.`, response, requestId)
    } catch (error) {
      throw DaisiError.isInstance(error) ? error : scope.failureOf(error)
    } finally {
      scope.close()
    }
  }

  /** The same for an answer that is an event stream. */
  async stream(call: Call, options: RequestOptions | undefined): Promise<OpenCall> {
    const open = await this.open(call, options)
    const { response, scope, requestId } = open
    if (/^text\/event-stream\b/i.test(response.headers.get('content-type') ?? '')) return open
    scope.abort()
    scope.close()
    throw invalidResponse('The answer is not an event stream.', response, requestId)
  }

  /** Resolves with the first 2xx headers; everything else throws. */
  async open(call: Call, options: RequestOptions = {}): Promise<OpenCall> {
    const { timeoutMs = this.#options.timeoutMs ?? DEFAULT_TIMEOUT_MS, signal } = options
    const { maxRetries = this.#options.maxRetries ?? DEFAULT_MAX_RETRIES } = options
    const headers = requestHeaders(call, this.#options, options)
    const body = call.body === undefined ? null : JSON.stringify(call.body)
    const deadline = this.#clock.now() + timeoutMs
    const scope = new CallScope(timeoutMs, signal)
    try {
      for (let attempt = 0; ; attempt += 1) {
        const result = await this.#attempt(call, headers, body, scope)
        if (!DaisiError.isInstance(result)) {
          return { response: result, scope, requestId: result.headers.get('x-request-id') ?? undefined }
        }
        const waitMs = attempt < maxRetries ? retryWaitMs(result, attempt, this.#clock.random) : undefined
        if (waitMs === undefined || this.#clock.now() + waitMs > deadline) throw result
        await this.#clock.sleep(waitMs, scope.signal)
      }
    } catch (error) {
      scope.close()
      throw error
    }
  }

  /** One request. Returns the errors that may be retried or not, throws those that end the call. */
  async #attempt(
    call: Call,
    common: Headers,
    body: string | null,
    scope: CallScope,
  ): Promise<Response | DaisiError> {
    const { signal } = scope
    signal.throwIfAborted()
    const headers = new Headers(common)
    if (!headers.has('authorization')) setKey(headers, await scope.race(this.#key()))
    const request = { url: this.#root + call.path, method: call.method, headers, body, signal }
    try {
      const response = await scope.race(this.#send(request))
      if (response.ok) return response
      const text = await errorText(response, scope)
      signal.throwIfAborted()
      return errorOfResponse(response, text, this.#clock.now())
    } catch (cause) {
      const error = scope.failureOf(cause)
      if (signal.aborted) throw error
      return error
    }
  }

  #send(request: OutgoingRequest): Promise<Response> {
    const { fetch = globalThis.fetch, middleware = [] } = this.#options
    const last = ({ url, ...init }: OutgoingRequest): Promise<Response> => fetch(url, init)
    return middleware.reduceRight<typeof last>(
      (next, around) => (outgoing) => around(outgoing, next),
      last,
    )(request)
  }

  async #key(): Promise<string | undefined> {
    const { apiKey } = this.#options
    return typeof apiKey === 'function' ? await apiKey() : apiKey
  }
}

function setKey(headers: Headers, key: string | undefined): void {
  if (!key) throw missingKey()
  try {
    headers.set('authorization', `Bearer ${key}`)
  } catch {
    // The platform's own message would quote the key.
    throw invalidArgument('apiKey', 'apiKey holds characters that no key has')
  }
}

function missingKey(): DaisiError {
  const message = 'An apiKey is required: a Secret Key (daisi_sk_…), or a function that returns one.'
  return new DaisiError(message, { code: 'missing_credentials', isRetryable: false, param: 'apiKey' })
}

function isTagged<T extends { readonly object: string }>(value: unknown, object: T['object']): value is T {
  return typeof value === 'object' && value !== null && 'object' in value && value.object === object
}
