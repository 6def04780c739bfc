import { availableBalance, openLeaseAccount, postTransfers, type Transfer } from '../../db/ledger.ts'
import type { Database } from '../../db/client.ts'
import { leaseFree, refillAmount } from '../../domain/lease.ts'
import type { PendingWrite, SessionStorage } from './storage.ts'
import type { SessionRecord } from './types.ts'

export type RefillResult = { readonly ok: true } | { readonly ok: false; readonly available: number }

/**
 * The Session's dealings with the book in D1: refill the lease, settle finished Jobs, release what is left. One at a
 * time. Each write is noted in the object's storage before it is made and has a business id, so that after a crash or a
 * lost answer the same write is made again and moves the credits once.
 */
export class SessionBook {
  readonly #storage: SessionStorage
  readonly #db: Database
  #last: Promise<unknown> = Promise.resolve()
  constructor(storage: SessionStorage, db: Database) {
    this.#storage = storage
    this.#db = db
  }

  /** Makes at least `needed` credits of the lease free, if the account covers them. Rejects if D1 does not answer. */
  refill(record: SessionRecord, needed: number, now: number): Promise<RefillResult> {
    return this.#exclusive(async () => {
      await this.#finishPending(now)
      for (;;) {
        const lease = this.#storage.lease()
        if (leaseFree(lease) >= needed) return { ok: true }
        const available = await availableBalance(this.#db, record.accountId)
        const amount = refillAmount(lease, needed, available)
        if (amount === undefined) return { ok: false, available }
        await openLeaseAccount(this.#db, leaseId(record), record.accountId)
        const id = `lease:${record.sessionId}:${this.#storage.nextWrite()}`
        const transfer = {
          id,
          debit: record.accountId,
          credit: leaseId(record),
          amount,
          reason: 'lease',
        } as const
        await this.#write({ kind: 'refill', transfers: [transfer], amount }, now)
      }
    })
  }

  /** Pays the owners of the Hosts that worked: one transfer each, however many Jobs. */
  settle(record: SessionRecord, now: number): Promise<void> {
    return this.#exclusive(async () => {
      await this.#finishPending(now)
      const owed = this.#storage.owedByPayee()
      if (owed.length === 0) return
      const batch = this.#storage.nextWrite()
      const transfers = owed.map(({ payee, credits }): Transfer => ({
        id: `settle:${record.sessionId}:${batch}:${payee}`,
        debit: leaseId(record),
        credit: payee,
        amount: credits,
        reason: 'settle',
      }))
      const amount = owed.reduce((sum, entry) => sum + entry.credits, 0)
      await this.#write({ kind: 'settle', transfers, amount }, now)
    })
  }

  /** Returns what no Job holds and nobody is owed to the account. */
  release(record: SessionRecord, now: number): Promise<void> {
    return this.#exclusive(async () => {
      await this.#finishPending(now)
      const amount = leaseFree(this.#storage.lease())
      if (amount === 0) return
      const id = `release:${record.sessionId}:${this.#storage.nextWrite()}`
      const transfer = {
        id,
        debit: leaseId(record),
        credit: record.accountId,
        amount,
        reason: 'release',
      } as const
      await this.#write({ kind: 'release', transfers: [transfer], amount }, now)
    })
  }

  async #write(write: PendingWrite, now: number): Promise<void> {
    this.#storage.beginWrite(write)
    await this.#finishPending(now)
  }

  async #finishPending(now: number): Promise<void> {
    const write = this.#storage.pending()
    if (write === undefined) return
    const outcome = await postTransfers(this.#db, write.transfers, now)
    if (outcome === 'posted') this.#storage.commitWrite(write)
    else if (write.kind === 'refill') this.#storage.abandonWrite()
    // A settlement or release moves only what a refill moved into the lease before: the book disagrees with us.
    else throw new Error(`the book refused to ${write.kind} ${write.amount} credits of a lease`)
  }

  #exclusive<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(work)
    this.#last = result.catch(() => undefined)
    return result
  }
}

function leaseId(record: SessionRecord): string {
  return `lease:${record.sessionId}`
}
