/**
 * How a request is to be served. Every route that makes Hosts work takes these as headers, or as the field `daisi` of its body; where
 * both say something, they must say the same.
 */
export interface RequestOptions {
  /** Only this Network. Header `Daisi-Network`. */
  readonly network?: string | undefined
  /** Only the Host of this alias. Header `Daisi-Host`. */
  readonly host?: string | undefined
  /** Not the Hosts of these aliases, 16 at most. Header `Daisi-Exclude-Hosts`, separated by commas. */
  readonly exclude_hosts?: readonly string[] | undefined
  /** Seconds, 0–120, to wait for a Host where none can take the request at once. Default 0. Header `Daisi-Wait`. */
  readonly wait?: number | undefined
  /** How the request travels. `direct` takes a Session of that mode, so that only `orchestrated` is served here. Header `Daisi-Mode`. */
  readonly mode?: 'orchestrated' | undefined
  /** The Session that the request belongs to. Header `Daisi-Session`. */
  readonly session?: string | undefined
}
