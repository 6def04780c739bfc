import type { Session } from '@daisi/protocol/consumer'

/** How to reach an Orc, and the defaults of every call. */
export interface DaisiOptions {
  /** Address of the Orc, with or without `/v1` at its end. */
  readonly baseURL: string
  /**
   * A Secret Key (`daisi_sk_…`), or a function that returns one and is asked before every attempt. In a browser use a
   * function that fetches a token from your own server: a Secret Key in a page belongs to everybody. `undefined` is
   * allowed for the sake of environment variables, and throws `missing_credentials`.
   */
  readonly apiKey: string | undefined | (() => string | Promise<string>)
  /** Network that requests run on. Default: `public`. */
  readonly network?: string | undefined
  /** Session that chat requests join. Default: the key's long-lived one. */
  readonly session?: string | Session | undefined
  /** Replaces the global `fetch`. */
  readonly fetch?: Fetch | undefined
  /**
   * Runs around each attempt of each call, the first one outermost: to log, to measure, to add headers, to answer from somewhere else. What it throws counts as a failed connection.
   *
   * @example
   * ```ts
   * const timed: Middleware = async (request, next) => {
   *   const start = performance.now()
   *   const response = await next(request)
   *   console.log(request.method, request.url, response.status, performance.now() - start)
   *   return response
   * }
   * const daisi = new Daisi({ baseURL: 'https://orc.example.com/v1', apiKey, middleware: [timed] })
   * ```
   */
  readonly middleware?: readonly Middleware[] | undefined
  /**
   * Milliseconds that a call may take, retries and their waits included; default 600,000. For a stream it is the time
   * until the answer begins, and then the longest silence inside it (the Orc's keep-alives count as a sound).
   */
  readonly timeoutMs?: number | undefined
  /** How often a failed request is sent again at most; default 2. */
  readonly maxRetries?: number | undefined
}

/** One attempt on its way. Its headers hold the key: do not log them as they are. */
export interface OutgoingRequest {
  readonly url: string
  readonly method: string
  readonly headers: Headers
  readonly body: string | null
  readonly signal: AbortSignal
}

/** Does something around an attempt. Answers with what `next` answers, or with something of its own. */
export type Middleware = (
  request: OutgoingRequest,
  next: (request: OutgoingRequest) => Promise<Response>,
) => Promise<Response>

/** The part of the platform's `fetch` that the SDK uses. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

/** Settings of one call. They win over those of the client. */
export interface RequestOptions {
  /** Ends the call with `aborted`. Running work is cancelled; what was delivered until then is paid. */
  readonly signal?: AbortSignal | undefined
  /** See {@link DaisiOptions.timeoutMs}. */
  readonly timeoutMs?: number | undefined
  /** See {@link DaisiOptions.maxRetries}. */
  readonly maxRetries?: number | undefined
  /**
   * Names this piece of work, 1–255 printable ASCII characters: within 24 hours one key is charged at most once, however
   * often it is sent. Default: a random one for each call, the same for all its attempts.
   */
  readonly idempotencyKey?: string | undefined
  /** Network to run on. */
  readonly network?: string | undefined
  /** Only the Host of this alias, as the header `daisi-host` of an answer names it. */
  readonly host?: string | undefined
  /** Not the Hosts of these aliases, 16 at most. */
  readonly excludeHosts?: readonly string[] | undefined
  /** Seconds, 0–120, to wait for a Host where none can take the request at once. Default 0. */
  readonly waitSeconds?: number | undefined
  /** Session to join, for what Hosts do. */
  readonly session?: string | Session | undefined
  /** Further headers. They win over the SDK's own. */
  readonly headers?: Readonly<Record<string, string>> | undefined
}
