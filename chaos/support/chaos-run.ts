import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AuditReport } from '../../protocol/src/index.ts'
import { seededRandom } from '../../bench/support/stats.ts'
import { auditFaults } from './audit-faults.ts'
import { Fleet } from './fleet.ts'
import { Load } from './load.ts'
import { MortalOrc } from './mortal-orc.ts'
import type { OwnBook } from './own-book.ts'
import { GRANT, type People, accountsOf, adjust, operatorApi, settlePeople, untilAnswered } from './people.ts'

/** What a run is told. */
export interface ChaosOptions {
  readonly seed: number
  readonly kills: number
  /** No kill after this time. */
  readonly maxMs: number
  readonly progress: (text: string) => void
  /** Another build of the Worker than the one in `orc-local/dist`, for instance with a fault that must be found. */
  readonly workerScript?: string | undefined
}

/** Kills between two audits. */
const AUDIT_EVERY = 10
/** Time that the Orc lives between two kills. Some lives are long enough for settlements and refills on their own time. */
const LIFE_MS = { shortest: 120, longest: 900, long: 6_500 }
const LONG_LIFE_SHARE = 0.03
/** Share of lives in which a Host dies. */
const HOST_DEATH_SHARE = 0.08
/** What the operator gives the poor account after each audit. */
const GIFT = 600
const RETRY_MS = 60

/** A real Orc that is killed again and again while clients and Hosts use it. */
export class ChaosRun implements AsyncDisposable {
  readonly orc: MortalOrc
  readonly people: People
  readonly fleet: Fleet
  readonly load: Load
  readonly #folder: string
  readonly #options: ChaosOptions
  readonly #random: () => number
  readonly #startedAt = performance.now()
  readonly #gifts: Promise<void>[] = []
  readonly #deaths: Promise<void>[] = []
  #adjusted: number
  kills = 0

  private constructor(
    options: ChaosOptions,
    random: () => number,
    folder: string,
    parts: {
      readonly orc: MortalOrc
      readonly people: People
      readonly adjusted: number
      readonly fleet: Fleet
      readonly load: Load
    },
  ) {
    this.#options = options
    this.#random = random
    this.#folder = folder
    this.orc = parts.orc
    this.people = parts.people
    this.#adjusted = parts.adjusted
    this.fleet = parts.fleet
    this.load = parts.load
  }

  get book(): OwnBook {
    return this.load.book
  }

  /** Starts the Orc, the Hosts and the load. */
  static async start(options: ChaosOptions): Promise<ChaosRun> {
    // Everybody draws from numbers of their own: what one does next does not depend on how fast the others are.
    const seeds = seededRandom(options.seed)
    const ownRandom = (): (() => number) => seededRandom(Math.floor(seeds() * 2 ** 32))
    await using cleanup = new AsyncDisposableStack()
    const folder = await mkdtemp(join(tmpdir(), 'daisi-chaos-'))
    cleanup.defer(() => rm(folder, { recursive: true, force: true }))
    const orc = await MortalOrc.start(folder, { grant: GRANT, workerScript: options.workerScript })
    cleanup.defer(() => orc.kill())
    const { people, adjusted } = await settlePeople(orc.url, orc.setupToken)
    const [first, second] = people.owners
    if (first === undefined || second === undefined) throw new Error('the Hosts need two owners')
    const fleet = await Fleet.start(orc.url, [first, first, second], ownRandom())
    const load = new Load(orc.url, ownRandom())
    const run = new ChaosRun(options, ownRandom(), folder, { orc, people, adjusted, fleet, load })
    cleanup.move()
    load.start(people)
    return run
  }

  /** Credits that entered the book. */
  get granted(): number {
    // The operator's account gets none.
    return (accountsOf(this.people).length - 1) * GRANT + this.#adjusted
  }

  /** Kills the Orc as often as was asked for. Stops at the first fault. */
  async killAll(): Promise<void> {
    while (this.kills < this.#options.kills && performance.now() - this.#startedAt < this.#options.maxMs) {
      if (this.#random() < HOST_DEATH_SHARE) this.#deaths.push(this.#killHost())
      await sleep(this.#lifetimeMs())
      await this.orc.restart()
      this.kills++
      if (this.kills % AUDIT_EVERY === 0 || this.kills === this.#options.kills) await this.#audit()
      if (this.book.faults.length > 0) return
    }
  }

  /** No new requests; resolves when running ones have ended and everything that was done is known. */
  async stopLoad(): Promise<void> {
    await Promise.all([this.load.stop(), ...this.#gifts, ...this.#deaths])
    this.book.worked(await this.fleet.work())
  }

  audit(): Promise<AuditReport> {
    return untilAnswered(
      () => operatorApi(this.orc.url, this.people).get<AuditReport>('/api/audit'),
      () => sleep(RETRY_MS),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.load.stop()
    await this.fleet.stop()
    await this.orc.kill()
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 3 })
  }

  #lifetimeMs(): number {
    const { shortest, longest, long } = LIFE_MS
    return this.#random() < LONG_LIFE_SHARE ? long : shortest + this.#random() * (longest - shortest)
  }

  async #killHost(): Promise<void> {
    this.book.worked(await this.fleet.replaceOne())
  }

  async #audit(): Promise<void> {
    const report = await this.audit()
    const faults = auditFaults(report)
    this.book.faults.push(...faults)
    this.book.worked(await this.fleet.work())
    this.#gifts.push(this.#give())
    const seconds = Math.round((performance.now() - this.#startedAt) / 1000)
    const outcomes = [...this.book.outcomes].map(([name, count]) => `${name} ${count}`).join(', ')
    this.#options.progress(
      `${seconds} s: kills ${this.kills}/${this.#options.kills}, Host deaths ${this.fleet.deaths}, ` +
        `requests ${this.book.requests} (${outcomes}; open ${this.load.unresolved}), ` +
        `transfers ${report.transfers}, leases ${report.leases}, audit ${faults.length === 0 ? 'clean' : faults.join('; ')}`,
    )
  }

  /** Gives the poor account something, across however many kills it takes. */
  async #give(): Promise<void> {
    this.#adjusted += GIFT
    const id = randomUUID()
    const { account } = this.people.poor
    await untilAnswered(
      () => adjust(this.orc.url, this.people, account, GIFT, id),
      () => sleep(RETRY_MS),
    )
  }
}
