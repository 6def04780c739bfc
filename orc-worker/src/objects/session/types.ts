import type { ErrorCode, JobUsage, KeyScope, SessionMode, UsageTotals } from '@daisi/protocol'

// What crosses the border of a ConsumerSession. Failures are values: an exception across objects is a fault of ours.

/** A refusal on its way to the caller. */
export interface SessionFailure {
  readonly ok: false
  readonly code: ErrorCode
  readonly message: string
  readonly retryAfterSeconds?: number
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
  /** Bound of the prompt's tokens. */
  readonly promptBound: number
  /** Undefined: as many as the balance covers, up to the default. */
  readonly maxTokens: number | undefined
  readonly idempotency: { readonly key: string; readonly digest: string } | undefined
}

/** The Job may run: credits are held for it. */
export interface Begun {
  readonly ok: true
  readonly record: SessionRecord
  readonly maxTokens: number
  /** Credits held. */
  readonly hold: number
}

/** How a Job ended. `payee` is the account of the Host's owner. */
export interface JobReport {
  readonly jobId: string
  readonly payee: string
  readonly usage: JobUsage
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
