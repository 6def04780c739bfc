/** Credits that a Session reserves beyond what its next Job needs, so that many Jobs share one write to the book. */
const CUSHION_CREDITS = 20_000
/** Share of the free balance that the cushion may take, so that one Session does not lock out the others. */
const CUSHION_SHARE = 0.25

/** How a Session's lease stands. `amount` is what the book holds for it. */
export interface Lease {
  readonly amount: number
  /** Reserved for running Jobs. */
  readonly held: number
  /** Owed for finished Jobs, not yet settled in the book. */
  readonly owed: number
}

/** Credits of a lease that a new Job may still reserve. */
export function leaseFree(lease: Lease): number {
  return lease.amount - lease.held - lease.owed
}

/**
 * How much to move from the account into the lease, given what the account has free: what is missing plus a cushion.
 * Undefined if the account does not cover what is missing.
 */
export function refillAmount(lease: Lease, needed: number, available: number): number | undefined {
  const missing = Math.max(0, needed - leaseFree(lease))
  if (missing > available) return undefined
  const cushion = Math.min(CUSHION_CREDITS, Math.floor((available - missing) * CUSHION_SHARE))
  return missing + cushion
}

/**
 * Tokens that an answer may have when its caller named no maximum: the default, lowered to what is affordable. Undefined
 * if not even one is.
 */
export function affordableTokens(
  affordable: number,
  promptBound: number,
  defaultTokens: number,
): number | undefined {
  const tokens = Math.min(defaultTokens, affordable - promptBound)
  return tokens >= 1 ? tokens : undefined
}
