import { recordSightings } from '../../db/anomalies.ts'
import type { Database } from '../../db/client.ts'
import { type KeyBudget, readSpendable } from '../../db/key-budget.ts'
import { leaseBalance, openLease, postSettlement, postTransfers } from '../../db/ledger.ts'
import { leaseDrift } from '../../domain/anomalies/lease-drift.ts'
import { newId } from '../../domain/ids.ts'
import { leaseFree, refillAmount, releaseAmount, runsDry, topUpAmount } from '../../domain/money/lease.ts'
import { settlementOf } from '../../domain/money/settlement.ts'
import { type LeaseOwner, leaseIdOf, refill, release } from '../../domain/money/transfer.ts'
import type { LeaseStore } from './lease-store.ts'
import type { PendingWrite } from './pending-write.ts'
import type { LeaseAnswer, SessionRecord } from './types.ts'

export type RefillResult =
  | { readonly ok: true }
  | {
      readonly ok: false
      readonly available: number
      /** The key's budget, if it is what does not cover more. */
      readonly limit: KeyBudget | undefined
    }

/** Refills that the book may refuse in a row: each time another Session took the credits in between. */
const MAX_TRIES = 20
/** Jobs that one settlement pays at most. */
const MAX_SETTLED = 1_000

/**
 * The Session's dealings with the book in D1: refill the lease, settle finished Jobs, release what is left. One at a
 * time. Each write is noted in the object's storage before it is made and has a business id, so that after a crash or a
 * lost answer the same write is made again and moves the credits once.
 */
export class SessionBook {
  readonly #store: LeaseStore
  readonly #db: Database
  readonly #sessionName: string
  #leaseOpened = false
  #last: Promise<unknown> = Promise.resolve()
  constructor(store: LeaseStore, db: Database, sessionName: string) {
    this.#store = store
    this.#db = db
    this.#sessionName = sessionName
  }

  /** Makes at least `needed` credits of the lease free, if the account and the key's budget cover them. Rejects if D1 does not answer. */
  refill(record: SessionRecord, needed: number, now: number): Promise<RefillResult> {
    return this.#exclusive(async () => {
      await this.#finishPending(now)
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        const lease = this.#store.lease()
        if (leaseFree(lease) >= needed) return { ok: true }
        const { credits: available, limit } = await readSpendable(this.#db, record, now)
        const amount = refillAmount(lease, needed, available)
        if (amount === undefined) return { ok: false, available, limit }
        await this.#refillBy(record, amount, now)
      }
      throw new Error('the book says that there are credits and refuses to move them')
    })
  }

  /** Refills a lease that runs dry ahead of need, where the account has enough. */
  topUp(record: SessionRecord, lastHold: number, now: number): Promise<void> {
    return this.#exclusive(async () => {
      await this.#finishPending(now)
      // Another Job may have seen the same low lease.
      if (!runsDry(this.#store.lease(), this.#store.lastRefill())) return
      const amount = topUpAmount(lastHold, (await readSpendable(this.#db, record, now)).credits)
      if (amount !== undefined) await this.#refillBy(record, amount, now)
    })
  }

  /** Pays the owners of the Hosts that worked: one transfer each, however many Jobs. */
  settle(record: SessionRecord, now: number): Promise<void> {
    return this.#exclusive(() => this.#settle(record, now))
  }

  /** Returns to the account what no Job holds and nobody is owed, and takes note of what running Jobs hold. */
  recall(record: SessionRecord, now: number): Promise<void> {
    return this.#exclusive(async () => {
      await this.#finishPending(now)
      // A refill that was under way brought more, with no await in between.
      this.#store.recall()
      await this.#release(ownerOf(record), false, now)
    })
  }

  /** Returns to the account what was recalled, and of an idle Session all that no Job holds and nobody is owed. */
  release(record: SessionRecord, isIdle: boolean, now: number): Promise<void> {
    return this.#exclusive(async () => {
      await this.#finishPending(now)
      await this.#release(ownerOf(record), isIdle, now)
    })
  }

  /**
   * Compares the lease with what the book holds for it, and ends what can be ended. `record` is undefined where the Session
   * knows nothing of itself any more: then nothing runs and nobody is owed, and all goes back to the owner.
   */
  reconcile(
    owner: LeaseOwner,
    record: SessionRecord | undefined,
    idle: boolean,
    now: number,
  ): Promise<LeaseAnswer> {
    return this.#exclusive(async () => {
      await this.#noteDrift(owner)
      if (!(await this.#agrees(owner, now))) {
        await this.#noteDrift(owner)
        return { outcome: 'drifted' }
      }
      if (record !== undefined) await this.#settle(record, now)
      await this.#release(owner, idle, now)
      return { outcome: this.#store.lease().amount === 0 ? 'returned' : 'in_use' }
    })
  }

  /** Notes a disagreement with the book that was found and is not known to be noted. Rejects if D1 does not answer. */
  noteDrift(owner: LeaseOwner): Promise<void> {
    return this.#exclusive(() => this.#noteDrift(owner))
  }

  async #noteDrift(owner: LeaseOwner): Promise<void> {
    const drift = this.#store.drift()
    if (drift === undefined) return
    await recordSightings(this.#db, [leaseDrift(owner.leaseId, drift)])
    this.#store.forgetDrift()
  }

  /** Ends the write under way and takes the book's word for the lease. True if the two had agreed. */
  async #agrees(owner: LeaseOwner, now: number): Promise<boolean> {
    const stuck = !(await this.#tryPending(now))
    const book = await leaseBalance(this.#db, owner.leaseId)
    if (!stuck && book === this.#store.lease().amount) return true
    this.#store.yieldTo(book, now)
    return false
  }

  async #settle(record: SessionRecord, now: number): Promise<void> {
    await this.#finishPending(now)
    for (;;) {
      const jobs = this.#store.unsettledJobs(MAX_SETTLED)
      if (jobs.length === 0) return
      const settlement = settlementOf(jobs)
      const entry = { id: newId('stl'), owner: ownerOf(record), keyId: record.keyId, settlement }
      await this.#write({ kind: 'settle', entry, jobIds: jobs.map(({ jobId }) => jobId) }, now)
    }
  }

  async #release(owner: LeaseOwner, isIdle: boolean, now: number): Promise<void> {
    const amount = releaseAmount(this.#store.lease(), isIdle)
    if (amount === 0) return
    await this.#write({ kind: 'release', transfer: release(crypto.randomUUID(), owner, amount) }, now)
  }

  async #refillBy(record: SessionRecord, amount: number, now: number): Promise<void> {
    const owner = ownerOf(record)
    if (!this.#leaseOpened) await openLease(this.#db, owner, this.#sessionName, record.keyId)
    this.#leaseOpened = true
    await this.#write({ kind: 'refill', transfer: refill(crypto.randomUUID(), owner, amount) }, now)
  }

  async #write(write: PendingWrite, now: number): Promise<void> {
    this.#store.beginWrite(write)
    await this.#finishPending(now)
  }

  async #finishPending(now: number): Promise<void> {
    if (await this.#tryPending(now)) return
    // A settlement or release moves only what a refill moved into the lease before: the book disagrees with us, and
    // reconciliation finds out what is true.
    throw new Error('the book refused a settlement or release of this lease')
  }

  /** Makes the write that is under way, if there is one. False if the book refuses it for good. */
  async #tryPending(now: number): Promise<boolean> {
    const write = this.#store.pending()
    if (write === undefined) return true
    const outcome =
      write.kind === 'settle'
        ? await postSettlement(this.#db, write.entry, now)
        : await postTransfers(this.#db, [write.transfer], now)
    if (outcome === 'posted') this.#store.commitWrite(write, now)
    else if (write.kind === 'refill') this.#store.abandonWrite()
    else return false
    return true
  }

  #exclusive<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(work)
    this.#last = result.catch(() => undefined)
    return result
  }
}

/** A Session's lease in the book. */
export function ownerOf(record: SessionRecord): LeaseOwner {
  return { leaseId: leaseIdOf(record.sessionId), accountId: record.accountId }
}
