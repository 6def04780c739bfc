import type { ErrorCode, JobUsage, KeyScope, SessionMode, UsageTotals } from '@daisi/protocol'

// What crosses the border of a ConsumerSession. Failures are values: an exception across objects is a fault of ours.

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
  readonly network: string
  readonly mode: SessionMode
  readonly accountId: string
  readonly keyId: string
  readonly keyHash: string
  readonly scopes: readonly KeyScope[]
  /** Credits over the whole life of the Session, or null without a limit of its own. */
  readonly budget: number | null
  /** Milliseconds since the epoch, or null for the long-lived Session of plain calls. */
  readonly expiresAt: number | null
  readonly status: 'open' | 'closed' | 'revoked'
}

/** Asks for a place for one Job. */
export interface BeginRequest {
  readonly keyHash: string
  readonly network: string
  readonly jobId: string
  /** Prompt tokens to hold credits for. */
  readonly promptTokens: number
  /** Undefined: as many as the balance covers, up to the default. */
  readonly maxTokens: number | undefined
  /** True for work that only a Host of the Consumer's own account will be given: it is free, and nothing is held. */
  readonly ownOnly: boolean
  readonly idempotency: { readonly key: string; readonly digest: string } | undefined
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
  readonly hostId: string
  /** The account of the Host's owner. */
  readonly payee: string
  readonly model: string
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
