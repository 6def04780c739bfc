import { env } from 'cloudflare:workers'
import type { Scheduler } from 'fast-check'
import type { DatabaseCall, Fault } from './faulty-database.ts'

/** Turns of the microtask queue after which fast-check has taken note of what comes next. */
const TURNS = 20

/** Runs its argument where the asker of a request lives. */
export type Answering = (answer: () => void) => Promise<void>

/** Requests on their way to D1: what becomes of each is planned, and the scheduler chooses what happens next. */
export class LedgerTraffic {
  readonly #scheduler: Scheduler
  readonly #faults: readonly Fault[]
  readonly #watched: readonly string[]
  readonly #waiting: { readonly call: DatabaseCall; readonly answering: Answering }[] = []
  #balances = new Map<string, number>()
  #calls = 0

  /** `faults` are those of the requests in the order in which they come. `watched` are the book accounts to look at. */
  constructor(scheduler: Scheduler, faults: readonly Fault[], watched: readonly string[]) {
    this.#scheduler = scheduler
    this.#faults = faults
    this.#watched = watched
  }

  /** Balances of the watched book accounts that exist. */
  get balances(): ReadonlyMap<string, number> {
    return this.#balances
  }

  /** Takes a request. The scheduler hears of it later: told from one place only, it chooses the same way each time. */
  send(call: DatabaseCall, answering: Answering): void {
    this.#waiting.push({ call, answering })
  }

  /** Requests that are sent from now on have no faults. */
  heal(): void {
    this.#dispatch()
    this.#calls = this.#faults.length
  }

  /** Lets one thing happen. False if there was nothing to do. */
  async happen(): Promise<boolean> {
    this.#dispatch()
    await turns()
    if (this.#scheduler.count() === 0) return false
    await this.#scheduler.waitNext(1)
    await turns()
    return true
  }

  /** Reads the balances. */
  async look(): Promise<void> {
    const { results } = await env.DB.prepare(
      'select id, balance from ledger_accounts where id in (select value from json_each(?))',
    )
      .bind(JSON.stringify(this.#watched))
      .all<{ id: string; balance: number }>()
    this.#balances = new Map(results.map(({ id, balance }) => [id, balance]))
  }

  #dispatch(): void {
    for (const { call, answering } of this.#waiting.splice(0)) {
      const fault = this.#faults[this.#calls++] ?? 'none'
      const happenings = call.happenings(fault, answering).map(({ label, happen, inBook }) => ({
        label,
        builder: async () => {
          await happen()
          if (inBook) await this.look()
        },
      }))
      this.#scheduler.scheduleSequence(happenings)
    }
  }
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await Promise.resolve()
}
