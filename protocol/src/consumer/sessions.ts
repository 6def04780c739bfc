/** Body of `POST /v1/sessions`. */
export interface SessionRequest {
  /** Default: the Network that `Daisi-Network` names, else `public`. */
  readonly network?: string | undefined
  /** Only `orchestrated` is served. */
  readonly mode?: 'orchestrated' | 'direct' | undefined
  /** Credits that the Session may spend at most, over its whole life. Absent: what the account holds. */
  readonly budget?: number | undefined
  /** Seconds until the Session closes by itself: 60 to 86,400, default 3,600. */
  readonly ttl_seconds?: number | undefined
}

/** A Session. Requests join it with the header `Daisi-Session: <id>`. */
export interface Session {
  readonly id: string
  readonly object: 'session'
  readonly network: string
  readonly mode: 'orchestrated' | 'direct'
  readonly status: 'open' | 'closed'
  /** Credits, or null without a limit of its own. */
  readonly budget: number | null
  /** Seconds since the epoch, or null for the long-lived Session of plain calls. */
  readonly expires_at: number | null
  readonly usage: UsageTotals
}

/** What was processed and paid. */
export interface UsageTotals {
  readonly jobs: number
  readonly prompt_tokens: number
  readonly cached_tokens: number
  readonly generated_tokens: number
  readonly credits: number
}

/** Answer of `GET /v1/usage`: this key on this Network, and what its account holds. */
export interface Usage {
  readonly object: 'usage'
  readonly network: string
  readonly totals: UsageTotals
  readonly balance: Balance
}

/** Credits of an account. */
export interface Balance {
  /** Free to spend. */
  readonly available: number
  /** Reserved for running work; what is not used comes back. */
  readonly held: number
  /** Frozen by an operator of the Orc: cannot be spent. */
  readonly frozen: number
  /** Everything that the account's Hosts were ever paid. */
  readonly earned: number
  /** Everything that the account ever paid to others. */
  readonly spent: number
}
