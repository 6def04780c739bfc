/** What a browser token may be for. It can neither open Sessions nor mint tokens. */
export type BrowserTokenScope = 'inference' | 'usage'

/** Body of `POST /v1/tokens`: a token for a browser, minted by the server of its App with a Secret Key of scope `sessions`. */
export interface BrowserTokenRequest {
  /**
   * Origins (RFC 6454) of the pages that may use it, exactly as a browser writes them: `https://example.com`, or with `http` for
   * `localhost` and `127.0.0.1`. Null for use outside of browsers, where no origin is sent: then whoever has the token may use it.
   */
  readonly origins: readonly string[] | null
  /** Seconds until it ends: 60 to 3,600, default 900. */
  readonly ttl_seconds?: number | undefined
  /** Credits that it may spend over its whole life. Absent: what its key may. */
  readonly budget?: number | undefined
  /** Default `['inference']`. With `usage` its holder reads what the account holds. */
  readonly scopes?: readonly BrowserTokenScope[] | undefined
  /** Some of the key's Networks. Default: all of them. */
  readonly networks?: readonly string[] | undefined
  /** Some of the key's models. Default: all of them. */
  readonly models?: readonly string[] | undefined
}

/** Answer of `POST /v1/tokens`. The token is shown once. */
export interface BrowserToken {
  readonly object: 'browser_token'
  /** Sent as `Authorization: Bearer …`, like a Secret Key. */
  readonly token: string
  /** Seconds since the epoch. */
  readonly expires_at: number
  readonly origins: readonly string[] | null
  readonly scopes: readonly BrowserTokenScope[]
  readonly networks: readonly string[]
  /** Null for every model. */
  readonly models: readonly string[] | null
  /** Credits, or null without a limit of its own. */
  readonly budget: number | null
}
