import { isDeepStrictEqual } from 'node:util'
import type { IdleRule } from '@daisi/protocol'
import type { Clock } from '../../clock.ts'
import type { Problem } from '../../problem.ts'
import { type BusyReason, judgeMachine, type MachineFacts, untilKnown } from './judge-machine.ts'
import type { MachineProbes, Reading } from './probe.ts'

/** Between the end of one look at the machine and the next. */
const EVERY_MS = 15_000

/** No look takes longer; what has not answered by then is not known. */
const LOOK_TIMEOUT_MS = 5_000

export interface MachineWatchOptions {
  readonly probes: MachineProbes
  readonly clock: Clock
  /** Whether a job of this agent runs now. */
  readonly isWorking: () => boolean
  /** Called when `reason` or `problems` change. */
  readonly onChange: () => void
}

/** Looks at the machine again and again, but only while a rule asks for it, and only at what it asks for. */
export class MachineWatch {
  readonly #options: MachineWatchOptions
  #rule: IdleRule | undefined
  #reason: BusyReason | undefined
  #problems: readonly Problem[] = []
  /** Of the last look that could tell. */
  #gpuPercent: number | undefined
  #cancelNext: (() => void) | undefined
  #look: AbortController | undefined

  constructor(options: MachineWatchOptions) {
    this.#options = options
  }

  /** Why the machine is not idle; undefined if it is, or if nobody asks. */
  get reason(): BusyReason | undefined {
    return this.#reason
  }

  /** What of the rule cannot be kept on this machine. */
  get problems(): readonly Problem[] {
    return this.#problems
  }

  /** Keeps to a rule from now on; undefined asks for nothing. Until the machine was looked at, it counts as in use. */
  follow(rule: IdleRule | undefined): void {
    if (isDeepStrictEqual(rule, this.#rule)) return
    this.#rule = rule
    this.#stopLooking()
    this.#problems = []
    this.#reason = rule === undefined ? undefined : untilKnown(rule)
    // A rule that asks for nothing needs no looking.
    if (rule !== undefined && this.#reason !== undefined) void this.#lookAround(rule)
  }

  close(): void {
    this.follow(undefined)
    this.#options.probes.close()
  }

  #stopLooking(): void {
    this.#cancelNext?.()
    this.#cancelNext = undefined
    this.#look?.abort()
    this.#look = undefined
  }

  async #lookAround(rule: IdleRule): Promise<void> {
    const look = new AbortController()
    this.#look = look
    const signal = AbortSignal.any([look.signal, AbortSignal.timeout(LOOK_TIMEOUT_MS)])
    const { facts, problems } = await this.#readAll(rule, signal)
    if (this.#look !== look) return
    this.#cancelNext = this.#options.clock.after(EVERY_MS, () => void this.#lookAround(rule))
    this.#conclude(judgeMachine(rule, facts), problems)
  }

  async #readAll(
    rule: IdleRule,
    signal: AbortSignal,
  ): Promise<{ readonly facts: MachineFacts; readonly problems: readonly Problem[] }> {
    const { probes } = this.#options
    const [input, power, gpu] = await Promise.all([
      rule.noInputMinutes > 0 ? bounded(probes.input(signal), 'input', signal) : NOT_ASKED,
      rule.onPower ? bounded(probes.power(signal), 'power', signal) : NOT_ASKED,
      rule.gpuBelowPercent < 100 ? bounded(this.#readGpu(signal), 'gpu', signal) : NOT_ASKED,
    ])
    return {
      facts: { inputIdleMs: input.value, onPower: power.value, gpuPercent: gpu.value },
      problems: [input, power, gpu].flatMap(({ problem }) => problem ?? []),
    }
  }

  async #readGpu(signal: AbortSignal): Promise<Reading<number>> {
    const { probes, isWorking } = this.#options
    const reading = await probes.gpu(isWorking(), signal)
    if (reading === 'unattributed') return { value: this.#gpuPercent }
    this.#gpuPercent = reading.value
    return reading
  }

  #conclude(reason: BusyReason | undefined, problems: readonly Problem[]): void {
    const isSame =
      reason === this.#reason &&
      problems.map(({ code }) => code).join() === this.#problems.map(({ code }) => code).join()
    this.#reason = reason
    this.#problems = problems
    if (!isSame) this.#options.onChange()
  }
}

const NOT_ASKED: Reading<never> = { value: undefined }

/** A probe that fails or hangs tells nothing. */
async function bounded<Value>(
  reading: Promise<Reading<Value>>,
  what: string,
  signal: AbortSignal,
): Promise<Reading<Value>> {
  const silent: Reading<Value> = {
    value: undefined,
    problem: {
      code: `${what}_unknown`,
      message: `this machine did not answer when asked about its ${what}, so that onlyWhenIdle is not kept; see whether it is overloaded`,
    },
  }
  const aborted = new Promise<Reading<Value>>((resolve) => {
    if (signal.aborted) resolve(silent)
    else signal.addEventListener('abort', () => resolve(silent), { once: true })
  })
  return Promise.race([reading.catch(() => silent), aborted])
}
