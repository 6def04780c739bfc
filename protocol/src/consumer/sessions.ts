/** Body of `POST /v1/sessions`. */
export interface SessionRequest {
  /** Default: the Network that `Daisi-Network` names, else every Network of the key, in its spend order. */
  readonly network?: string | undefined
  /** How its requests travel: through the Orc (default), or straight to a Host. */
  readonly mode?: 'orchestrated' | 'direct' | undefined
  /** Required for `direct`, and only used for it. */
  readonly direct?: DirectRequest | undefined
  /** Credits that the Session may spend at most, over its whole life. Absent: what the account holds. */
  readonly budget?: number | undefined
  /** Seconds until the Session closes by itself: 60 to 86,400, default 3,600. */
  readonly ttl_seconds?: number | undefined
}

/** Asks for a Host to connect to. Body of `POST /v1/sessions/{id}/direct`, and part of that of `POST /v1/sessions`. */
export interface DirectRequest {
  readonly model: string
  /** The public key that proofs and acknowledgements will be signed with (RFC 8037). */
  readonly key: { readonly kty: 'OKP'; readonly crv: 'Ed25519'; readonly x: string }
  /** Tokens that one token shall cover: 1,000 to 1,000,000, default 16,384. Credits for all of them are held. */
  readonly budget?: number | undefined
}

/** A Host to connect to, and the Session token for it. */
export interface DirectGrant {
  readonly object: 'direct_grant'
  /** What Consumers see of the Host. */
  readonly host_alias: string
  /** Its id, to which acknowledgements are addressed. */
  readonly host_id: string
  /** Where it listens. Who connects learns its address, and it learns theirs. */
  readonly endpoint: string
  /** SHA-256 of its certificate's DER in lower-case hex, where no public authority vouches for it. */
  readonly certificate_sha256: string | null
  /** The Session token. Only this Host takes it, and only with proofs by the key. */
  readonly token: string
  /** `sid` of the token: the Session's name for this Host. */
  readonly session_id: string
  readonly model: string
  /** Tokens, prompts and answers together, that the token covers. */
  readonly budget: number
  /** Seconds since the epoch. */
  readonly expires_at: number
}

/** A Session. Requests join it with the header `Daisi-Session: <id>`. */
export interface Session {
  readonly id: string
  readonly object: 'session'
  /** Its Network, or null if it may use every Network of its key. */
  readonly network: string | null
  readonly mode: 'orchestrated' | 'direct'
  readonly status: 'open' | 'closed'
  /** Credits, or null without a limit of its own. */
  readonly budget: number | null
  /** Seconds since the epoch, or null for the long-lived Session of plain calls. */
  readonly expires_at: number | null
  readonly usage: UsageTotals
  /** The first Host of a `direct` Session, when it is opened. */
  readonly direct?: DirectGrant | undefined
}

/** What was processed and paid. */
export interface UsageTotals {
  readonly jobs: number
  readonly prompt_tokens: number
  readonly cached_tokens: number
  readonly generated_tokens: number
  readonly credits: number
}

/** Answer of `GET /v1/usage`: the whole Session, or all plain calls of the key, and what its account holds. */
export interface Usage {
  readonly object: 'usage'
  /** The Network that the request named, else that of the Session, or null. The totals are not narrowed to it. */
  readonly network: string | null
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
