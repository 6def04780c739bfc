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
   * Milliseconds that a call may take, retries and their waits included; default 600,000. For a stream it is the time
   * until the answer begins, and then the longest silence inside it (the Orc's keep-alives count as a sound).
   */
  readonly timeoutMs?: number | undefined
  /** How often a failed request is sent again at most; default 2. */
  readonly maxRetries?: number | undefined
}

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
  /** Session to join; chat only. */
  readonly session?: string | Session | undefined
  /** Further headers. They win over the SDK's own. */
  readonly headers?: Readonly<Record<string, string>> | undefined
}
