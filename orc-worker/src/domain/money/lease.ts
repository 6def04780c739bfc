/** Credits that a Session reserves beyond what its next Job needs, so that many Jobs share one write to the book. */
const CUSHION_CREDITS = 20_000
/** The same as a multiple of that Job, for Sessions with large ones. */
const CUSHION_JOBS = 4
/** Share of the free balance that the cushion may take, so that one Session does not lock out the others. */
const CUSHION_SHARE = 0.25

/** Share of the last refill that is left when the next one is due, so that no Job has to wait for the book. */
const LOW_SHARE = 0.25
/** A refill ahead of need that would bring less than this is not worth a write to the book. */
const LEAST_TOP_UP = 1_000

/** How a Session's lease stands. `held + owed + returning` never exceeds `amount`. */
export interface Lease {
  /** What the book holds for it. */
  readonly amount: number
  /** Reserved for running Jobs. */
  readonly held: number
  /** Owed for finished Jobs, not yet settled in the book. */
  readonly owed: number
  /** Recalled by an operator: on its way back to the account, and no Job's to use. */
  readonly returning: number
}

/** A lease before its first refill. */
export const EMPTY_LEASE: Lease = { amount: 0, held: 0, owed: 0, returning: 0 }

/** Credits of a lease that a new Job may still reserve. */
export function leaseFree(lease: Lease): number {
  return lease.amount - lease.held - lease.owed - lease.returning
}

/** Reserves for a Job. Undefined if the lease does not cover it. */
export function reserved(lease: Lease, hold: number): Lease | undefined {
  return hold > leaseFree(lease) ? undefined : { ...lease, held: lease.held + hold }
}

/** A Job ended: its hold is given up, and what it cost is owed, never more than was held. */
export function finished(lease: Lease, hold: number, credits: number): Lease {
  return { ...lease, held: lease.held - hold, owed: lease.owed + owedFor(hold, credits) }
}

/** An operator wants back what is free now. */
export function recalled(lease: Lease): Lease {
  return { ...lease, returning: lease.returning + leaseFree(lease) }
}

/** A Job that ran when its lease was recalled ended: what it did not need goes back as well. */
export function finishedRecalled(lease: Lease, hold: number, credits: number): Lease {
  const rest = hold - owedFor(hold, credits)
  return { ...finished(lease, hold, credits), returning: lease.returning + rest }
}

/** What a Job that cost `credits` owes. */
export function owedFor(hold: number, credits: number): number {
  return Math.min(hold, credits)
}

/** Credits that a Session with a budget of its own may still reserve. */
export function budgetFree(budget: number | null, spent: number, held: number): number {
  return budget === null ? Number.MAX_SAFE_INTEGER : Math.max(0, budget - spent - held)
}

/** The book moved credits into the lease. */
export function refilled(lease: Lease, credits: number): Lease {
  return { ...lease, amount: lease.amount + credits }
}

/** The book paid what was owed. */
export function settled(lease: Lease, credits: number): Lease {
  return { ...lease, amount: lease.amount - credits, owed: lease.owed - credits }
}

/** What goes back to the account: what was recalled, and of an idle Session everything that is free. */
export function releaseAmount(lease: Lease, isIdle: boolean): number {
  return lease.returning + (isIdle ? leaseFree(lease) : 0)
}

/**
 * Credits are on their way back to the account, what was recalled among them. Noted before the book is asked, so that no Job
 * can use them meanwhile.
 */
export function released(lease: Lease, credits: number): Lease {
  return { ...lease, amount: lease.amount - credits, returning: 0 }
}

/**
 * The lease where the book holds `book` for it, whatever was thought. What that does not cover is given up: first what Jobs
 * hold, then what is owed. `onItsWay` was to go back and did not.
 */
export function yielded(lease: Lease, book: number, onItsWay: number): Lease {
  const owed = book < lease.owed ? 0 : lease.owed
  const held = book < lease.owed + lease.held ? 0 : lease.held
  return { amount: book, held, owed, returning: Math.min(book - held - owed, lease.returning + onItsWay) }
}

/**
 * How much to move from the account into the lease, given what the account has free: what is missing plus a cushion.
 * Undefined if the account does not cover what is missing.
 */
export function refillAmount(lease: Lease, needed: number, available: number): number | undefined {
  const missing = Math.max(0, needed - leaseFree(lease))
  if (missing > available) return undefined
  return missing + cushion(needed, available - missing)
}

/** True if a lease should be refilled while its Jobs run. `lastRefill` is what the last refill brought. */
export function runsDry(lease: Lease, lastRefill: number): boolean {
  return leaseFree(lease) < lastRefill * LOW_SHARE
}

/** How much to move into a lease ahead of need. Undefined if it is not worth it. */
export function topUpAmount(lastHold: number, available: number): number | undefined {
  const amount = cushion(lastHold, available)
  return amount < LEAST_TOP_UP ? undefined : amount
}

function cushion(hold: number, spare: number): number {
  return Math.min(Math.max(CUSHION_CREDITS, CUSHION_JOBS * hold), Math.floor(spare * CUSHION_SHARE))
}

/**
 * Tokens that an answer may have when its caller named no maximum: the default, lowered to what is affordable. Undefined
 * if not even one is.
 */
export function affordableTokens(
  affordable: number,
  promptTokens: number,
  defaultTokens: number,
): number | undefined {
  const tokens = Math.min(defaultTokens, affordable - promptTokens)
  return tokens >= 1 ? tokens : undefined
}
