import { env } from 'cloudflare:workers'
import { callerWith } from './caller.ts'
import type { Scheduler } from 'fast-check'
import { HOLD_MS } from '../../src/domain/deadlines.ts'
import { runsDry } from '../../src/domain/money/lease.ts'
import { price } from '../../src/domain/money/price.ts'
import { beginJob } from '../../src/objects/session/begin.ts'
import { faultyDatabase, isMadeUp } from './faulty-database.ts'
import { type Command, type Plan, SESSIONS } from './ledger-commands.ts'
import { disagreement } from './ledger-model.ts'
import { LedgerOperator, openAccounts } from './ledger-operator.ts'
import { type AskedFor, ledgerReport } from './ledger-report.ts'
import { LedgerSession, ledgerRecord } from './ledger-session.ts'
import { LedgerTraffic } from './ledger-traffic.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const START = Date.UTC(2026, 0, 1)

/** A Job that somebody asked for, whether it was let in or not. */
interface AskedJob extends AskedFor {
  readonly session: LedgerSession
}

type Of<Kind extends Command['kind']> = Extract<Command, { readonly kind: Kind }>

/**
 * Three Sessions of two consumers, two owners and an operator around one real book, reached by requests that fail, come late
 * or come twice as planned, in an order that the scheduler chooses. Says at every step what does not fit.
 */
export class LedgerWorld {
  /** The two consumers, then the two owners. */
  readonly accounts: readonly string[]
  readonly sessions: readonly LedgerSession[]
  readonly traffic: LedgerTraffic
  readonly #operator: LedgerOperator
  readonly #jobs: AskedJob[] = []
  readonly #prefix: string
  #now = START
  #surprise: unknown

  private constructor(prefix: string, scheduler: Scheduler, plan: Plan) {
    this.#prefix = prefix
    this.accounts = ['consumer-1', 'consumer-2', 'owner-1', 'owner-2'].map((name) => `${prefix}-${name}`)
    this.sessions = Array.from({ length: SESSIONS }, (_, index) => this.#session(index, plan.budget))
    const leases = this.sessions.map(({ owner }) => owner.leaseId)
    this.traffic = new LedgerTraffic(scheduler, plan.faults, [...this.accounts, ...leases])
    const operate = faultyDatabase(env.DB, (call) => this.traffic.send(call, async (answer) => answer()))
    this.#operator = new LedgerOperator(operate, prefix)
  }

  /** A fresh world. `prefix` makes its names its own. */
  static async create(prefix: string, scheduler: Scheduler, plan: Plan): Promise<LedgerWorld> {
    const world = new LedgerWorld(prefix, scheduler, plan)
    await openAccounts(world.accounts, plan.grants, START)
    for (const session of world.sessions) await session.inside(() => undefined)
    await world.traffic.look()
    return world
  }

  /** Starts a command. What it asks of D1 happens later. */
  async start(command: Command): Promise<void> {
    switch (command.kind) {
      case 'open':
        return this.#open(command)
      case 'report':
        return this.#report(command)
      case 'wait':
        this.#now += command.ms
        return
      case 'renew':
      case 'free':
        return this.#touch(command)
      case 'expire':
        return this.#expire(this.#at(command.session))
      case 'settle':
      case 'release': {
        const { kind } = command
        return this.#book(this.#at(command.session), kind)
      }
      case 'crash':
        return this.#at(command.session).crash()
      case 'reconcile':
        await this.#reconcile(this.#at(command.session), command.idle, command.stray)
        return
      case 'adjust':
      case 'freeze': {
        const { kind, consumer, amount } = command
        return this.#expectEnd(this.#operator[kind](this.#account(consumer), amount, this.#now))
      }
      default:
        return command satisfies never
    }
  }

  /** Lets one thing happen at D1 and checks what can be checked at any time. False if there was nothing to do. */
  async happen(): Promise<boolean> {
    const happened = await this.traffic.happen()
    this.check()
    return happened
  }

  /** Throws if something does not fit. */
  check(): void {
    if (this.#surprise !== undefined) throw this.#surprise
    const { balances } = this.traffic
    for (const [id, balance] of balances) if (balance < 0) throw new Error(`${id} has ${balance}`)
    for (const { record, model, owner, snapshot } of this.sessions) {
      const problem = disagreement(snapshot, model, balances.get(owner.leaseId) ?? 0)
      if (problem !== undefined) throw new Error(`${record.sessionId}: ${problem}`)
    }
  }

  /** D1 is well again, nobody runs anything any more, and the book asks every Session what its lease is for. */
  async comeToRest(): Promise<void> {
    this.traffic.heal()
    await this.#drain()
    this.#now += 2 * DAY_MS
    for (const session of this.sessions) {
      await this.#expire(session)
      await this.#book(session, 'settle')
      await this.#drain()
      await this.#book(session, 'release')
      await this.#drain()
      await this.#reconcile(session)
      await this.#drain()
      const answer = await this.#reconcile(session)
      await this.#drain()
      if (answer.outcome !== 'returned') throw new Error(`${session.record.sessionId} is ${answer.outcome}`)
    }
  }

  async #open(command: Of<'open'>): Promise<void> {
    const { promptTokens, maxTokens, ownOnly, key, body } = command
    const session = this.#at(command.session)
    const { record, model } = session
    const id = `${this.#prefix}-job-${this.#jobs.length}`
    this.#jobs.push({ id, session, promptTokens, maxTokens: maxTokens ?? 20 })
    const idempotency = key === undefined ? undefined : { key: `key-${key}`, digest: `body-${body}` }
    const caller = callerWith('')
    const request = { caller, jobId: id, model: '', promptTokens, maxTokens, ownOnly, idempotency }
    const now = this.#now
    await session.inside(({ store, book }) => {
      const open = async (): Promise<void> => {
        const answer = await beginJob(request, record, store, book, now)
        if (!answer.ok) return
        const hold = model.jobs.get(id)?.hold
        const { budget } = answer
        if (budget !== promptTokens + answer.maxTokens) throw new Error(`${id} may do ${budget}`)
        if (hold !== (ownOnly ? 0 : budget)) throw new Error(`${id} holds ${hold}`)
        if (runsDry(store.lease(), store.lastRefill())) await book.topUp(record, budget, now)
      }
      this.#expectEnd(open())
    })
  }

  async #report(command: Of<'report'>): Promise<void> {
    const { share, payee, copies, astray } = command
    const running = this.#jobs.filter(({ id, session }) => session.model.jobs.get(id)?.state === 'open')
    const job = command.running
      ? running[running.length - 1 - (command.job % running.length)]
      : this.#job(command.job)
    const own = job?.session ?? this.#at(0)
    const session = astray ? this.#at(this.sessions.indexOf(own) + 1) : own
    const asked = job ?? { id: `${this.#prefix}-stray`, promptTokens: 5, maxTokens: 5 }
    const report = ledgerReport(asked, share, this.#account(payee), this.#now)
    const credits = report.payee === session.record.accountId ? 0 : price(report.usage)
    const ended = { report, credits, rememberUntil: this.#now + DAY_MS }
    const reports = Array.from({ length: copies }, () => ended)
    await session.inside(({ store }) => {
      const answer = store.finishJobs(reports)
      const expected = session.model.finished(reports)
      // The ids of what was paid are forgotten after a while: a report of it may be refused then, and counts for nothing.
      const forgotten = expected.ended + expected.unknown === 0 && answer.unknown.length === copies
      if (answer.ended !== expected.ended || (answer.unknown.length !== expected.unknown && !forgotten))
        this.#surprise ??= new Error(`${report.jobId}: ${JSON.stringify({ answer, expected })}`)
    })
  }

  async #touch({ kind, job: number }: Of<'renew' | 'free'>): Promise<void> {
    const job = this.#job(number)
    if (job === undefined) return
    const { id, session } = job
    const until = this.#now + HOLD_MS
    await session.inside(({ store }) => (kind === 'free' ? store.freeJob(id) : store.renewJobs([id], until)))
    if (kind === 'free') session.model.freed(id)
    else session.model.renewed(id, until)
  }

  async #expire(session: LedgerSession): Promise<void> {
    const expected = session.model.expired(this.#now).toSorted().join()
    const now = this.#now
    await session.inside(({ store }) => {
      const expired = store.expireJobs(now).toSorted().join()
      if (expired !== expected) this.#surprise ??= new Error(`expired: ${expired}, not ${expected}`)
    })
  }

  #book(session: LedgerSession, kind: 'settle' | 'release'): Promise<void> {
    const now = this.#now
    return session.inside(({ book }) => {
      const { record } = session
      this.#expectEnd(kind === 'settle' ? book.settle(record, now) : book.release(record, true, now))
    })
  }

  /** Answers what the Session says, as soon as it says it. */
  async #reconcile(session: LedgerSession, idle = true, stray = 0): Promise<{ outcome?: string }> {
    const answer: { outcome?: string } = {}
    const { record, model, owner } = session
    model.strays += stray
    if (stray > 0) this.#expectEnd(this.#operator.stray(owner, stray, this.#now))
    const now = this.#now
    await session.inside(({ book }) => {
      const ask = async (): Promise<void> => {
        answer.outcome = (await book.reconcile(owner, record, idle, now)).outcome
        if (answer.outcome === 'drifted' && model.strays === 0) throw new Error(`${record.sessionId} drifted`)
      }
      this.#expectEnd(ask())
    })
    return answer
  }

  /** The promise may be rejected because of D1, and for no other reason. */
  #expectEnd(promise: Promise<unknown>): void {
    promise.catch((error: unknown) => {
      if (!isMadeUp(error)) this.#surprise ??= error
    })
  }

  #session(index: number, budget: number | null): LedgerSession {
    const accountId = this.#account(index < 2 ? 0 : 1)
    const record = ledgerRecord(`${this.#prefix}-session-${index}`, accountId, index === 0 ? budget : null)
    const session: LedgerSession = new LedgerSession(record, (call, lifetime) =>
      this.traffic.send(call, (answer) => session.answer(answer, lifetime)),
    )
    return session
  }

  async #drain(): Promise<void> {
    while (await this.happen());
  }

  #at(index: number): LedgerSession {
    return this.sessions[index % SESSIONS]!
  }
  #account(index: number): string {
    return this.accounts[index]!
  }
  #job(number: number): AskedJob | undefined {
    const { length } = this.#jobs
    return this.#jobs[length - 1 - (number % (length + 1))]
  }
}
