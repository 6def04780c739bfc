/** The system account that pays sign-up grants. It may be below zero. */
export const GRANT_ACCOUNT = 'sys_grant'
/** The system account through which operators adjust. It may be below zero. */
export const ADJUST_ACCOUNT = 'sys_adjust'

/** Why credits move. The book allows each between certain kinds of accounts only. */
export type TransferReason = 'grant' | 'adjust' | 'lease' | 'release' | 'settle'

/** One movement of credits. `id` is a business id: writing it twice moves the credits once. */
export interface Transfer {
  readonly id: string
  readonly debit: string
  readonly credit: string
  /** The owner of the debited lease, or the debited account itself. */
  readonly payer: string
  /** The owner of the credited lease, or the credited account itself. */
  readonly payee: string
  readonly amount: number
  readonly reason: TransferReason
  /** Why, where a person decided. */
  readonly note?: string
}

/** A Session's lease and the account whose credits it holds. */
export interface LeaseOwner {
  readonly leaseId: string
  readonly accountId: string
}

/** The account of a Session's lease in the book. */
export function leaseIdOf(sessionId: string): string {
  return `lease:${sessionId}`
}

/** Out of nothing, at sign-up. */
export function grant(accountId: string, amount: number): Transfer {
  const sides = { debit: GRANT_ACCOUNT, payer: GRANT_ACCOUNT, credit: accountId, payee: accountId }
  return { id: `grant:${accountId}`, ...sides, amount, reason: 'grant' }
}

/** Given to, or with a negative amount taken from, an account by an operator. */
export function adjustment(id: string, accountId: string, amount: number, note: string): Transfer {
  const [debit, credit] = amount > 0 ? [ADJUST_ACCOUNT, accountId] : [accountId, ADJUST_ACCOUNT]
  return {
    id: `adjust:${id}`,
    debit,
    credit,
    payer: debit,
    payee: credit,
    amount: Math.abs(amount),
    reason: 'adjust',
    note,
  }
}

/** From the account into the lease. */
export function refill(id: string, { leaseId, accountId }: LeaseOwner, amount: number): Transfer {
  const sides = { debit: accountId, credit: leaseId, payer: accountId, payee: accountId }
  return { id: `lease:${id}`, ...sides, amount, reason: 'lease' }
}

/** From the lease back to the account. */
export function release(id: string, { leaseId, accountId }: LeaseOwner, amount: number): Transfer {
  const sides = { debit: leaseId, credit: accountId, payer: accountId, payee: accountId }
  return { id: `release:${id}`, ...sides, amount, reason: 'release' }
}

/** From the lease to the owner of a Host that worked. */
export function payment(
  id: string,
  { leaseId, accountId }: LeaseOwner,
  payee: string,
  amount: number,
): Transfer {
  const sides = { debit: leaseId, credit: payee, payer: accountId, payee }
  return { id: `settle:${id}:${payee}`, ...sides, amount, reason: 'settle' }
}
