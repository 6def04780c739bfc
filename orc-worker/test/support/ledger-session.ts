import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { type LeaseOwner, leaseIdOf } from '../../src/domain/money/transfer.ts'
import { SessionBook } from '../../src/objects/session/book.ts'
import { SessionStorage } from '../../src/objects/session/storage.ts'
import type { SessionRecord } from '../../src/objects/session/types.ts'
import { type DatabaseCall, faultyDatabase } from './faulty-database.ts'
import { ObservedLeaseStore, SessionModel, type Snapshot } from './ledger-model.ts'

/** More turns of the microtask queue than the longest way from one request to D1 to the next. */
const TURNS = 100

/** The money of one Session as its object has it in memory. A crash loses this and nothing else. */
interface Live {
  readonly store: ObservedLeaseStore
  readonly book: SessionBook
}

/** An open Session without an end. */
export function ledgerRecord(sessionId: string, accountId: string, budget: number | null): SessionRecord {
  return {
    sessionId,
    network: null,
    networks: [{ name: 'public', kind: 'public', cidrs: [] }],
    spendOrder: ['own', 'private', 'public'],
    models: null,
    origins: null,
    mode: 'orchestrated',
    accountId,
    keyId: `key of ${sessionId}`,
    keyHash: '',
    scopes: ['inference'],
    keyExpiresAt: null,
    budget,
    expiresAt: null,
    status: 'open',
  }
}

/** A Session on the real storage of a real Durable Object, which can crash, and whose requests to D1 go to `send`. */
export class LedgerSession {
  readonly record: SessionRecord
  readonly owner: LeaseOwner
  readonly model: SessionModel
  readonly #stub: DurableObjectStub
  readonly #send: (call: DatabaseCall, lifetime: number) => void
  #live: Live | undefined
  #lifetime = 0
  #snapshot: Snapshot | undefined

  constructor(record: SessionRecord, send: (call: DatabaseCall, lifetime: number) => void) {
    this.record = record
    this.owner = { leaseId: leaseIdOf(record.sessionId), accountId: record.accountId }
    this.model = new SessionModel(record.budget)
    this.#stub = env.SESSIONS.getByName(record.sessionId)
    this.#send = send
  }

  /** How the storage stood when the Session last did something. */
  get snapshot(): Snapshot {
    if (this.#snapshot === undefined) throw new Error('the Session has done nothing yet')
    return this.#snapshot
  }

  /**
   * Starts `work` inside the object and lets it go as far as it can without an answer from D1. Storage can be reached from
   * inside only, and what `work` starts belongs to the object, so that it goes on in here as well.
   */
  async inside(work: (live: Live) => void): Promise<void> {
    await runInDurableObject(this.#stub, async (_, { storage }) => {
      this.#live ??= this.#start(storage)
      work(this.#live)
      for (let turn = 0; turn < TURNS; turn++) await Promise.resolve()
      const { store } = this.#live
      this.#snapshot = { lease: store.lease(), pending: store.pending(), credits: store.totals().credits }
    })
  }

  /** Delivers an answer from D1, unless whoever asked is dead. */
  async answer(answer: () => void, lifetime: number): Promise<void> {
    if (lifetime === this.#lifetime) await this.inside(answer)
  }

  /** The object dies with everything in memory; its next call starts it anew. */
  crash(): void {
    this.#live = undefined
    this.#lifetime++
  }

  #start(storage: DurableObjectStorage): Live {
    const lifetime = this.#lifetime
    new SessionStorage(storage).prepare()
    const store = new ObservedLeaseStore(storage, this.model)
    const db = faultyDatabase(env.DB, (call) => this.#send(call, lifetime))
    return { store, book: new SessionBook(store, db, this.record.sessionId) }
  }
}
