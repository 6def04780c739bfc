import type { IdleReason } from '@daisi/protocol'
import type { Clock } from '../clock.ts'
import type { Problem } from '../problem.ts'
import type { Outcome } from '../outcome.ts'
import { FatalError } from '../exit-codes.ts'
import type { Logger } from '../log.ts'
import { readAgentConfig } from '../state/agent-config.ts'
import { configProblem } from '../state/config-problem.ts'
import { Blocklist } from './blocklist.ts'
import { DayBook, type DayCounts } from './day-book.ts'
import { MachineWatch } from './machine/machine-watch.ts'
import { machineProbes } from './machine/machine-probes.ts'
import type { MachineProbes } from './machine/probe.ts'
import { type OwnerSettings, ownerSettings } from '../state/owner-settings.ts'
import type { OwnerPatch, OwnerWishes } from './owner-wishes.ts'
import { Schedule } from './schedule.ts'
import { SettingsFile } from './settings-file.ts'

export interface OwnerPolicyOptions {
  readonly stateFolder: string
  /** What goes before the configuration file, until it is changed while the agent runs. */
  readonly overrides: OwnerPatch
  /** Milliseconds since 1970. */
  readonly clock: Clock
  /** Whether a job runs now: some GPUs do not tell whose work they do. */
  readonly isWorking: () => boolean
  readonly logger: Logger
  /** Absent: those of this machine. */
  readonly probes?: MachineProbes
}

/** What the owner of this machine wants, at this moment: whether it works, for how much longer, and on what not. */
export class OwnerPolicy implements OwnerWishes {
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #file: SettingsFile
  readonly #book: DayBook
  readonly #watch: MachineWatch
  readonly #listeners = new Set<() => void>()
  #settings: OwnerSettings
  #schedule: Schedule
  #blocklist: Blocklist
  #told: IdleReason | undefined
  readonly #reported = new Set<string>()
  #cancelWake: (() => void) | undefined
  #changing: Promise<unknown> = Promise.resolve()
  #closed = false

  private constructor(options: OwnerPolicyOptions, settings: OwnerSettings, book: DayBook) {
    const { stateFolder, clock, logger, isWorking, probes = machineProbes() } = options
    this.#clock = clock
    this.#logger = logger
    this.#file = new SettingsFile(stateFolder)
    this.#book = book
    this.#watch = new MachineWatch({
      probes,
      clock,
      isWorking,
      onChange: () => this.#changed(),
    })
    this.#settings = settings
    this.#schedule = new Schedule(settings.schedule)
    this.#blocklist = new Blocklist(settings.blocklist)
    this.#watchMachine()
    this.#told = this.reason
    this.#planWake()
  }

  /** Throws a `FatalError` if the configuration, or what was counted today, cannot be read. */
  static async open(options: OwnerPolicyOptions): Promise<OwnerPolicy> {
    const { stateFolder, clock, overrides } = options
    const { settings } = await readAgentConfig(stateFolder)
    const book = await DayBook.open(stateFolder, clock)
    return new OwnerPolicy(options, ownerSettings.parse({ ...settings, ...given(overrides) }), book)
  }

  get settings(): OwnerSettings {
    return this.#settings
  }

  /** Why no work is taken now. Asked of the clock each time: after a machine has slept, it is right before any timer is. */
  get reason(): IdleReason | undefined {
    if (this.#settings.paused) return 'paused'
    if (!this.#isOpen) return 'schedule'
    return this.#watch.reason ?? (this.tokensLeftToday === 0 ? 'daily_limit' : undefined)
  }

  /** Tokens that may still be processed for others until midnight; Infinity without a limit. */
  get tokensLeftToday(): number {
    const { maxTokensPerDay } = this.#settings
    if (maxTokensPerDay === null) return Infinity
    return Math.max(0, maxTokensPerDay - this.#book.today.tokensForOthers)
  }

  get today(): DayCounts {
    return this.#book.today
  }

  /** Wishes that cannot be kept on this machine. */
  get problems(): readonly Problem[] {
    return [...this.#watch.problems, ...(this.#book.problem === undefined ? [] : [this.#book.problem])]
  }

  /** Calls `listener` when settings, reason or problems have changed; returns the function that stops it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** True if the owner does not want to work on a text. */
  declines(texts: Iterable<string>): boolean {
    return this.#blocklist.matches(texts)
  }

  /**
   * Counts a job that has ended, and its tokens, of prompt and answer. Those of the owner's own jobs are not held against the
   * limit of the day.
   */
  processed(tokens: number, own: boolean, failed: boolean): void {
    const counted = own ? { ownTokens: tokens } : { tokensForOthers: tokens }
    this.#book.add({ ...counted, jobs: 1, failedJobs: failed ? 1 : 0 })
    if (this.reason !== this.#told) this.#changed()
  }

  /** Changes these settings, each whole, here and in the file: all of them or none. Values need not be checked before. */
  change(patch: Readonly<Record<string, unknown>>): Promise<Outcome<OwnerSettings>> {
    const changed = this.#changing.then(() => this.#change(given(patch)))
    this.#changing = changed.catch(() => {})
    return changed
  }

  /** Stops watching and leaves everything on disk. */
  async close(): Promise<void> {
    this.#closed = true
    this.#cancelWake?.()
    this.#watch.close()
    await this.#changing
    await this.#book.flush()
  }

  async #change(patch: Readonly<Record<string, unknown>>): Promise<Outcome<OwnerSettings>> {
    const parsed = ownerSettings.safeParse({ ...this.#settings, ...withWholeRemote(patch, this.#settings) })
    if (!parsed.success)
      return { ok: false, code: 'invalid_setting', message: configProblem(ownerSettings, parsed.error) }
    const names = Object.keys(patch) as (keyof OwnerSettings)[]
    try {
      await this.#file.save(Object.fromEntries(names.map((name) => [name, parsed.data[name]])))
    } catch (error) {
      if (!(error instanceof FatalError)) throw error
      return { ok: false, code: error.code, message: error.message }
    }
    this.#use(parsed.data, names)
    return { ok: true, value: parsed.data }
  }

  get #isOpen(): boolean {
    return this.#schedule.isOpen(new Date(this.#clock.now()))
  }

  #use(settings: OwnerSettings, changed: readonly (keyof OwnerSettings)[]): void {
    this.#settings = settings
    if (changed.includes('schedule')) this.#schedule = new Schedule(settings.schedule)
    if (changed.includes('blocklist')) this.#blocklist = new Blocklist(settings.blocklist)
    this.#changed()
  }

  #changed(): void {
    this.#watchMachine()
    this.#told = this.reason
    this.#planWake()
    this.#reportProblems()
    for (const listener of this.#listeners) listener()
  }

  /** Each once: the owner may not look at the status for weeks. */
  #reportProblems(): void {
    for (const { code, message } of this.problems) {
      if (this.#reported.has(code)) continue
      this.#reported.add(code)
      this.#logger.warn({ event: 'owner', code }, message)
    }
  }

  /** The machine is left alone while no work would be taken anyway. */
  #watchMachine(): void {
    const { paused, onlyWhenIdle } = this.#settings
    const isOff = this.#closed || paused || !this.#isOpen
    this.#watch.follow(isOff ? undefined : (onlyWhenIdle ?? undefined))
  }

  /** One timer, for the next moment at which the clock alone changes something. */
  #planWake(): void {
    this.#cancelWake?.()
    if (this.#closed) return
    const now = new Date(this.#clock.now())
    const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1)
    const moments = [this.#schedule.nextChange(now), this.tokensLeftToday === 0 ? midnight : undefined]
    const next = Math.min(...moments.map((date) => date?.getTime() ?? Infinity))
    if (next === Infinity) return
    this.#cancelWake = this.#clock.after(Math.max(1, next - now.getTime()), () => this.#wake())
  }

  #wake(): void {
    if (this.reason === this.#told) this.#planWake()
    else this.#changed()
  }
}

/** `remote` may be given in part. */
function withWholeRemote(
  patch: Readonly<Record<string, unknown>>,
  { remote }: OwnerSettings,
): Readonly<Record<string, unknown>> {
  const given = patch['remote']
  if (typeof given !== 'object' || given === null) return patch
  return { ...patch, remote: { ...remote, ...given } }
}

/** What a change names: undefined is the same as absent. */
function given(patch: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined))
}
