import type { ErrorCode, JobUsage, KeyScope, SessionMode, SpendClass, UsageTotals } from '@daisi/protocol'

// What crosses the border of a ConsumerSession. Failures are values: an exception across objects is a fault of ours.

/** Who calls a Session, as the Worker saw it. */
export interface Caller {
  /** Hash of the credential: a Secret Key or a browser token. */
  readonly keyHash: string
  /** The Network that the request names, if it names one. */
  readonly network: string | undefined
  /** `Origin` of the request, which a browser sends and a page cannot change. */
  readonly origin: string | undefined
  /** IP address, undefined where it cannot be known. */
  readonly address: string | undefined
}

/** A Network that a Session may use. */
export interface NetworkAccess {
  readonly name: string
  readonly kind: 'public' | 'private'
  /** CIDR blocks from which its Consumers may come. Empty: from anywhere. */
  readonly cidrs: readonly string[]
}

/** A refusal on its way to the caller. */
export interface SessionFailure {
  readonly ok: false
  readonly code: ErrorCode
  readonly message: string
  readonly retryAfterSeconds?: number
  /** Set if nothing but credits is missing: a Host of the Consumer's own account may still do the work. */
  readonly record?: SessionRecord
}

/** Whose Session this is and what it may do. Kept by the object. */
export interface SessionRecord {
  readonly sessionId: string
  /** The Network that it was opened on, or null if it may use every Network of its key. */
  readonly network: string | null
  /** What it may use. */
  readonly networks: readonly NetworkAccess[]
  /** Classes of Hosts to use, best first. */
  readonly spendOrder: readonly SpendClass[]
  /** Models that it may use; null for all. */
  readonly models: readonly string[] | null
  /** Origins of pages that may use it; null for any caller. */
  readonly origins: readonly string[] | null
  readonly mode: SessionMode
  readonly accountId: string
  readonly keyId: string
  readonly keyHash: string
  readonly scopes: readonly KeyScope[]
  /** When its key ends, in milliseconds since the epoch, or null for never. */
  readonly keyExpiresAt: number | null
  /** Credits over the whole life of the Session, or null without a limit of its own. */
  readonly budget: number | null
  /** Milliseconds since the epoch, or null without an end. The Session of plain calls ends with its key. */
  readonly expiresAt: number | null
  readonly status: 'open' | 'closed' | 'revoked'
}

/** What a Session that is about to be opened is asked to do at least. Undefined: whatever its key may. */
export interface SessionTerms {
  readonly scopes?: readonly KeyScope[] | undefined
  /** Names of Networks. */
  readonly networks?: readonly string[] | undefined
  readonly models?: readonly string[] | undefined
}

/** A Session or browser token about to be opened with a key. */
export interface NewSession {
  /** Name of its object. */
  readonly name: string
  /** When it ends at the latest, in milliseconds since the epoch. */
  readonly expiresAt: number
  readonly terms: SessionTerms
}

/** Asks for a place for one Job. */
export interface BeginRequest {
  readonly caller: Caller
  readonly jobId: string
  readonly model: string
  /** Prompt tokens to hold credits for. */
  readonly promptTokens: number
  /** Undefined: as many as the balance covers, up to the default. */
  readonly maxTokens: number | undefined
  /** True for work that only a Host of the Consumer's own account will be given: it is free, and nothing is held. */
  readonly ownOnly: boolean
  readonly idempotency: { readonly key: string; readonly digest: string } | undefined
  /**
   * How long the credits stay held, in milliseconds since the epoch. Default: as long as somebody speaks for the Job. For a Direct
   * Connection, whose Jobs nobody sees, it is as long as its Host may report them; for images longer, since nothing comes of one before
   * it is done.
   */
  readonly heldUntil?: number
}

/** The Job may run: credits are held for it. */
export interface Begun {
  readonly ok: true
  readonly record: SessionRecord
  readonly maxTokens: number
  /** Tokens that a Host may process for it, prompt included. The credits held are as many, or none if only own Hosts are asked. */
  readonly budget: number
}

/** How a Job ended. */
export interface JobReport {
  readonly jobId: string
  /** For a Job of a Direct Connection: the Session token that credits are held for. */
  readonly tokenId?: string | undefined
  readonly hostId: string
  /** The account of the Host's owner. */
  readonly payee: string
  readonly model: string
  /** The Network on which it ran. */
  readonly network: string
  readonly usage: JobUsage
  readonly promptBytes: number
  readonly textBytes: number
  /** Milliseconds since the epoch, by the Orc's clock. */
  readonly endedAt: number
}

/** What became of reports. */
export interface ReportsTaken {
  /** Jobs that this Session does not know: never begun here, given up, or expired. Nothing is paid for them. */
  readonly unknown: readonly string[]
}

/** What a Session said about a lease that the book asked for. `failed`: it or the book did not answer. */
export interface LeaseAnswer {
  readonly outcome: 'in_use' | 'returned' | 'drifted' | 'failed'
}

/** A Session and the book disagreed about a lease. The book's word was taken. */
export interface LeaseDrift {
  /** Credits that the Session thought the lease to have. */
  readonly session: number
  /** Credits that the book holds for it. */
  readonly book: number
  /** What can therefore not be paid to whom. */
  readonly unpaid: readonly { readonly payee: string; readonly credits: number }[]
  /** Credits that running Jobs held and hold no more: they end for free. */
  readonly unheld: number
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** How a Session stands. */
export interface SessionView {
  readonly ok: true
  readonly record: SessionRecord
  readonly totals: UsageTotals
}

/** The key behind a call is good for this scope. */
export interface Authorized {
  readonly ok: true
  readonly record: SessionRecord
}
