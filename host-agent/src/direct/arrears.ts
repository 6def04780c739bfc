import type { SessionTokenClaims } from '@daisi/protocol'
import type { TokenWindow } from './token-window.ts'

/** How long what was never acknowledged is remembered. */
export const ARREARS_MS = 60 * 60 * 1000

/** Jobs that are remembered at most; the oldest are forgotten first. */
const MOST_JOBS = 10_000

/** Whose job it is: the Session's name here, and the key. Either may come back under another token. */
interface Debtor {
  readonly session: string
  readonly key: string
}

interface Debt extends Debtor {
  readonly window: TokenWindow
  readonly untilMs: number
}

/** What Consumers left unacknowledged lately, beyond the lives of tokens: a new token alone is no new trust (D5). */
export class Arrears {
  readonly #debts = new Map<string, Debt>()

  /** A job is over. What is acknowledged of it later still counts. */
  remember(jobId: string, claims: SessionTokenClaims, window: TokenWindow, nowMs: number): void {
    this.#forget(nowMs)
    if (window.open > 0) this.#debts.set(jobId, { ...debtorOf(claims), window, untilMs: nowMs + ARREARS_MS })
    for (const oldest of this.#debts.keys()) {
      if (this.#debts.size <= MOST_JOBS) break
      this.#debts.delete(oldest)
    }
  }

  /** Tokens that the Session or the key, whichever owes more, never acknowledged. */
  of(claims: SessionTokenClaims, nowMs: number): number {
    this.#forget(nowMs)
    const { session, key } = debtorOf(claims)
    let ofSession = 0
    let ofKey = 0
    for (const debt of this.#debts.values()) {
      if (debt.session === session) ofSession += debt.window.open
      if (debt.key === key) ofKey += debt.window.open
    }
    return Math.max(ofSession, ofKey)
  }

  /** In the order of their ends, up to the first that still counts. */
  #forget(nowMs: number): void {
    for (const [jobId, { untilMs }] of this.#debts) {
      if (untilMs > nowMs) return
      this.#debts.delete(jobId)
    }
  }
}

function debtorOf({ sub, cnf }: SessionTokenClaims): Debtor {
  return { session: sub, key: cnf?.jkt ?? '' }
}
