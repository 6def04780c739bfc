import type { DirectGrant, DirectRequest } from '@daisi/protocol/consumer'
import type { Fetch } from '../options.ts'

/** What to connect to, and how. */
export interface DirectOptions {
  /** The model that the Host shall serve. */
  readonly model: string
  /** Network to look for a Host on. Default: as the Orc decides for the key. */
  readonly network?: string | undefined
  /** Credits that may be spent directly, over the connection's whole life. What goes through the Orc is not counted here. */
  readonly budget?: number | undefined
  /** Seconds until the Session ends: 60 to 86,400, default 3,600. Without a `budget` another one follows by itself. */
  readonly ttlSeconds?: number | undefined
  /**
   * Asks somebody else than the Orc for a Host: in a page its own server, since a browser token opens no Session. It passes the
   * `direct` of a Session that the server opens for this request. `network`, `budget` and `ttlSeconds` are the server's to choose then.
   */
  readonly requestHost?: ((request: DirectRequest) => Promise<DirectGrant>) | undefined
  /** Whether requests that cannot go directly go through the Orc; default true. Otherwise they throw why. */
  readonly fallback?: boolean | undefined
  /** Milliseconds in which a Host must show a sign of life before it is sent a prompt; default 5,000. */
  readonly directTimeoutMs?: number | undefined
  /** As of the client, for calls that name none; default 600,000. */
  readonly timeoutMs?: number | undefined
  /** Replaces the global `fetch` towards Hosts. A server decides here, and in `pinnedFetch`, which addresses it dials. */
  readonly fetch?: Fetch | undefined
  /**
   * Makes a `fetch` that trusts exactly the certificate with this SHA-256 (hex). Used for Hosts whose certificate no public authority
   * vouches for. In Node it is `pinnedFetch` of `daisi-sdk/node`; browsers cannot have one.
   */
  readonly pinnedFetch?: ((certificateSha256: string) => Fetch) | undefined
}
