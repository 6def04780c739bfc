import type { SessionTokenClaims } from '@daisi/protocol'
import { CLOCK_TOLERANCE_SECONDS } from '../tokens/verify-session-token.ts'

interface Account {
  spent: number
  reservations: number
  readonly expiresAtMs: number
}

/** Tokens set aside for one job. */
export interface Reservation {
  /** Keeps `used` as spent and gives the rest back. Once. */
  settle(used: number): void
}

/** What was spent under each Session token (T4). The worst case is set aside before a job runs. */
export class BudgetBook {
  readonly #accounts = new Map<string, Account>()

  /** Tokens that are left under a token. */
  left({ jti, budget }: SessionTokenClaims): number {
    return budget - (this.#accounts.get(jti)?.spent ?? 0)
  }

  /** Sets `tokens` aside, or returns undefined if they are not left. */
  reserve(claims: SessionTokenClaims, tokens: number, nowMs: number): Reservation | undefined {
    if (tokens > this.left(claims)) return undefined
    this.#forgetExpired(nowMs)
    const expiresAtMs = (claims.exp + CLOCK_TOLERANCE_SECONDS) * 1000
    const account = this.#accounts.get(claims.jti) ?? { spent: 0, reservations: 0, expiresAtMs }
    this.#accounts.set(claims.jti, account)
    account.spent += tokens
    account.reservations++
    return {
      settle: (used) => {
        account.spent -= tokens - Math.min(used, tokens)
        account.reservations--
      },
    }
  }

  /** In the order of arrival, up to the first that is still needed: cheap, and bounded by the tokens of some minutes. */
  #forgetExpired(nowMs: number): void {
    for (const [jti, account] of this.#accounts) {
      if (account.expiresAtMs > nowMs || account.reservations > 0) return
      this.#accounts.delete(jti)
    }
  }
}
