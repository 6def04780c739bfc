import { env } from 'cloudflare:workers'
import { createAccount } from '../../src/db/accounts.ts'
import { type Database, database } from '../../src/db/client.ts'
import { openLease, postTransfers } from '../../src/db/ledger.ts'
import { adjustAccount, freezeAccount } from '../../src/db/operator-credits.ts'
import { type LeaseOwner, refill } from '../../src/domain/money/transfer.ts'
import { isMadeUp } from './faulty-database.ts'

/** Opens an account under each id with its sign-up grant, or without one where `grants` has none. */
export async function openAccounts(
  ids: readonly string[],
  grants: readonly number[],
  now: number,
): Promise<void> {
  for (const [index, id] of ids.entries()) {
    const account = { id, name: id, operator: false, tokenHash: id }
    await createAccount(database(env), account, grants[index] ?? 0, now)
  }
}

/** An operator who interferes. */
export class LedgerOperator {
  readonly #db: Database
  readonly #prefix: string
  #adjustments = 0

  /** `prefix` makes the ids of its adjustments its own. */
  constructor(db: Database, prefix: string) {
    this.#db = db
    this.#prefix = prefix
  }

  /** Gives or takes credits. After a failure the same is sent once more. */
  async adjust(accountId: string, amount: number, now: number): Promise<void> {
    if (amount === 0) return
    const adjustment = { id: `${this.#prefix}-${this.#adjustments++}`, accountId, amount, note: 'as agreed' }
    try {
      await adjustAccount(this.#db, adjustment, now)
    } catch (error) {
      if (!isMadeUp(error)) throw error
      await adjustAccount(this.#db, adjustment, now)
    }
  }

  async freeze(accountId: string, amount: number, now: number): Promise<void> {
    await freezeAccount(this.#db, { accountId, amount, note: 'suspicious', operatorId: accountId }, now)
  }

  /** Moves credits into a lease behind its Session's back. */
  async stray(owner: LeaseOwner, amount: number, now: number): Promise<void> {
    await openLease(this.#db, owner, 'nobody', 'no key')
    await postTransfers(this.#db, [refill(crypto.randomUUID(), owner, amount)], now)
  }
}
