import { DurableObject } from 'cloudflare:workers'
import type { KeyScope } from '@daisi/protocol'
import { database } from '../../db/client.ts'
import type { LeaseOwner } from '../../domain/money/transfer.ts'
import { logEvent } from '../../log.ts'
import { Alarm } from '../alarm.ts'
import { isPlainSession, isTokenSession } from '../stubs.ts'
import { SessionBook } from './book.ts'
import { type DirectToken, DirectTokens } from './direct-tokens.ts'
import { SessionIdentity } from './identity.ts'
import { KeyUse } from './key-use.ts'
import { LeaseKeeper } from './lease-keeper.ts'
import { LeaseStore } from './lease-store.ts'
import { SessionLimits } from './limits.ts'
import { OpenedSessions } from './opened-sessions.ts'
import { hasEnded, refuseModel, refuseTerms } from './permission.ts'
import { SESSION_CLOSED, STORAGE_UNAVAILABLE, UNKNOWN_SESSION } from './refusals.ts'
import { SessionStorage } from './storage.ts'
import type {
  Authorized,
  BeginRequest,
  Begun,
  Caller,
  JobReport,
  LeaseAnswer,
  NewSession,
  ReportsTaken,
  SessionFailure,
  SessionRecord,
  SessionView,
} from './types.ts'

/** An opened Session can be read this long after its end. */
const FORGET_AFTER_MS = 24 * 60 * 60 * 1000
/** What could not be done yet is tried again after this long. */
const LOOK_AGAIN_MS = 30_000

/**
 * One Session: the key's record, its lease of credits, the holds of running Jobs and what finished ones owe. It answers
 * from its own storage; D1 is asked when the lease runs short and told, later and together, what was earned.
 */
export class ConsumerSession extends DurableObject<Env> {
  readonly #storage = new SessionStorage(this.ctx.storage)
  readonly #leaseStore = new LeaseStore(this.ctx.storage)
  readonly #alarm = new Alarm(this.ctx.storage)
  readonly #lease = new LeaseKeeper({
    env: this.env,
    store: this.#leaseStore,
    book: new SessionBook(this.#leaseStore, database(this.env), this.ctx.id.name ?? ''),
    alarm: this.#alarm,
  })
  readonly #limits = new SessionLimits(this.env)
  readonly #identity = new SessionIdentity(this.#storage, this.env, this.ctx.id.name)
  readonly #keyUse = new KeyUse(this.#storage, this.#identity, this.env)
  readonly #opened = new OpenedSessions(this.#storage, this.env)
  readonly #directTokens = new DirectTokens(this.ctx.storage.sql, this.env)

  /** Checks that the caller may use this Session for `scope`. */
  async authorize(caller: Caller, scope?: KeyScope): Promise<Authorized | SessionFailure> {
    const now = Date.now()
    const authorized = await this.#limits.guard(() => this.#identity.authorize(caller, scope), now)
    if (authorized.ok) this.ctx.waitUntil(this.#noteUse(authorized.record.keyId, now))
    return authorized
  }

  /** What a caller is answered who names a Session that is not its own: as if there were none (rule S1). */
  async refuse(caller: Caller): Promise<SessionFailure> {
    const authorized = await this.authorize(caller)
    return authorized.ok ? UNKNOWN_SESSION : authorized
  }

  /** Authenticates, limits and reserves in one call (rules A1, P4, K1–K3). */
  async begin(request: BeginRequest): Promise<Begun | SessionFailure> {
    const authorized = await this.authorize(request.caller, 'inference')
    if (!authorized.ok) return authorized
    const refused = refuseIn(authorized.record, request.model, Date.now())
    if (refused !== undefined) return refused
    const begun = await this.#lease.begin(request, authorized.record, (work) => this.ctx.waitUntil(work))
    return begun.ok ? this.#stillAllowed(begun, request) : begun
  }

  /** Jobs ended. One may be reported again: it counts once. */
  async finish(reports: readonly JobReport[]): Promise<ReportsTaken> {
    const { record } = this.#identity
    if (record === undefined) return { unknown: reports.map(({ jobId }) => jobId) }
    return this.#lease.finish(reports, record)
  }

  /** A Job ended without having delivered anything: its hold is freed. */
  async abandon(jobId: string): Promise<void> {
    if (this.#identity.record !== undefined) await this.#lease.abandon(jobId)
  }

  /** These Jobs still run: their holds stay. */
  async renew(jobIds: readonly string[]): Promise<void> {
    if (this.#identity.record !== undefined) await this.#lease.renew(jobIds)
  }

  /**
   * A Host was given a Session token of this Session for a Direct Connection. False if the Session is over: the Host must be told.
   */
  async addDirectToken(token: DirectToken): Promise<boolean> {
    const record = this.#identity.record
    if (record === undefined || this.#identity.isStale || hasEnded(record, Date.now())) return false
    this.#directTokens.add(token, Date.now())
    return true
  }

  /** An operator wants back what this Session does not need, now and as its Jobs end. False if the book did not answer. */
  async recall(): Promise<boolean> {
    this.#storage.prepare()
    return this.#lease.recall(this.#identity.record)
  }

  /** The book has credits in this Session's lease and asks what they are for. */
  async reconcile(owner: LeaseOwner): Promise<LeaseAnswer> {
    this.#storage.prepare()
    return this.#lease.reconcile(owner, this.#identity.record)
  }

  /** How the Session stands, after settling what is finished (rule S3). */
  async view(caller: Caller, scope: KeyScope): Promise<SessionView | SessionFailure> {
    const authorized = await this.authorize(caller, scope)
    if (!authorized.ok) return authorized
    if (!(await this.#lease.settle(authorized.record))) return STORAGE_UNAVAILABLE
    return { ...authorized, totals: this.#leaseStore.totals() }
  }

  /** Starts an opened Session. Called once, by the Worker that made its id. False if its key was revoked meanwhile. */
  async open(record: SessionRecord): Promise<boolean> {
    if (this.#storage.isRevoked()) return false
    this.#identity.open(record)
    if (record.expiresAt !== null) await this.#alarm.at(record.expiresAt)
    return true
  }

  /**
   * Checks that the caller may open this Session and answers what Sessions of the key may do, after it noted the name: whatever
   * happens to the key from now on reaches it. Only the Session of plain calls is asked.
   */
  async adopt(caller: Caller, session: NewSession): Promise<Authorized | SessionFailure> {
    const admitted = await this.authorize(caller, 'sessions')
    if (!admitted.ok) return admitted
    const full = this.#opened.add(session, Date.now())
    if (full !== undefined) return full
    // What happened to the key until here shows in this answer; what happens from here on is told to the name.
    const allowed = await this.#identity.authorize(caller, 'sessions')
    const refused = allowed.ok ? refuseTerms(session.terms, allowed.record) : allowed
    if (refused !== undefined) this.#opened.remove(session.name)
    return refused ?? allowed
  }

  /** A Session that this one opened was closed: it makes room for another. */
  async disown(name: string): Promise<void> {
    this.#opened.remove(name)
  }

  /** Takes no new Jobs; running ones finish (rule S2). */
  async close(caller: Caller): Promise<SessionView | SessionFailure> {
    const authorized = await this.authorize(caller, 'sessions')
    if (!authorized.ok) return authorized
    await this.#end('closed')
    await this.#opened.leave(this.ctx.id.name, authorized.record.keyHash)
    return this.view(caller, 'sessions')
  }

  /** The key was revoked: this Session and all that it opened are dead at once. */
  async revoke(): Promise<void> {
    const isKnown = this.#identity.record !== undefined
    // The key may be on its way here, read from D1 before its row was changed: a plain Session will read it again.
    if (isKnown || !isPlainSession(this.ctx.id.name)) this.#storage.markRevoked()
    if (isKnown) await this.#end('revoked')
    else await this.#expectOpening()
    await this.#opened.tell((session) => session.revoke())
  }

  /** The key's rights changed: they are read anew before the next call is let in, here and in all that it opened. */
  async refresh(): Promise<void> {
    if (this.#identity.record === undefined) await this.#expectOpening()
    else {
      this.#identity.markStale()
      await this.#revokeDirectTokens()
    }
    await this.#opened.tell((session) => session.refresh())
  }

  override async alarm(): Promise<void> {
    this.#alarm.fired()
    const record = this.#identity.record
    // Told of a change, and never opened.
    if (record === undefined) return this.#identity.forget()
    const now = Date.now()
    if (!(await this.#directTokens.tell())) await this.#alarm.at(now + LOOK_AGAIN_MS)
    if (!(await this.#lease.tend(record, now)) || record.expiresAt === null) return
    // An opened Session that is long over and owes nothing leaves no storage behind.
    const forgottenAt = forgetAt(this.ctx.id.name, record.expiresAt)
    if (now >= forgottenAt && this.#lease.isQuiet) return this.#identity.forget()
    await this.#alarm.at(Math.max(forgottenAt, now + LOOK_AGAIN_MS))
  }

  /** The Job may begin, if nothing happened to its key and Session while there was waiting for limits and the book. */
  async #stillAllowed(begun: Begun, { caller, model, jobId }: BeginRequest): Promise<Begun | SessionFailure> {
    const authorized = await this.#identity.authorize(caller, 'inference')
    const refused = authorized.ok ? refuseIn(authorized.record, model, Date.now()) : authorized
    if (refused !== undefined) await this.abandon(jobId)
    return refused ?? { ...begun, ...authorized }
  }

  /** What no call waits for: noting that the key was used, and finding out if it is gone. */
  async #noteUse(keyId: string, now: number): Promise<void> {
    try {
      if (!(await this.#keyUse.note(keyId, now))) await this.revoke()
    } catch (error) {
      logEvent('key_use_failed', { error })
    }
  }

  async #revokeDirectTokens(): Promise<void> {
    if (!(await this.#directTokens.revokeAll())) await this.#alarm.at(Date.now() + LOOK_AGAIN_MS)
  }

  /** A change came before anything is known here. An opened Session is about to be opened, or never will be. */
  async #expectOpening(): Promise<void> {
    this.#identity.markStale()
    if (!isPlainSession(this.ctx.id.name)) await this.#alarm.at(Date.now() + FORGET_AFTER_MS)
  }

  async #end(status: 'closed' | 'revoked'): Promise<void> {
    this.#identity.end(status)
    await this.#alarm.at(Date.now())
    await this.#revokeDirectTokens()
  }
}

/** Why a Session begins no Job with this model, or undefined if it does. */
function refuseIn(record: SessionRecord, model: string, now: number): SessionFailure | undefined {
  return hasEnded(record, now) ? SESSION_CLOSED : refuseModel(record, model)
}

/** When a Session is forgotten, in milliseconds since the epoch. Nobody can ask about that of a browser token once it ended. */
function forgetAt(name: string | undefined, expiresAt: number): number {
  return isTokenSession(name) ? expiresAt : expiresAt + FORGET_AFTER_MS
}
