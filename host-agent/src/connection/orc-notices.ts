import type { Welcome } from '@daisi/protocol'
import type { FatalError } from '../exit-codes.ts'
import type { Logger } from '../log.ts'
import { AGENT_VERSION } from '../version.ts'
import { judgeVersion, tooOld, updateMessage } from './agent-version.ts'

/** Clocks that differ by so much are worth a warning. */
const WARN_SKEW_SECONDS = 60

/** What the owner should know of an Orc's word, told once and not at each connection. */
export class OrcNotices {
  readonly #url: string
  readonly #logger: Logger
  #update: string | undefined
  #isClockTold = false

  constructor(url: string, logger: Logger) {
    this.#url = url
    this.#logger = logger
  }

  /** A version of daisi-host that the Orc knows and that is newer than this one. */
  get update(): string | undefined {
    return this.#update
  }

  /** Takes note of versions (H13). Returns why this one must not go on, if that is so. */
  version(announced: Welcome['agent']): FatalError | undefined {
    const verdict = judgeVersion(AGENT_VERSION, announced)
    if (verdict.kind === 'too-old') return tooOld(AGENT_VERSION, verdict.minimum, this.#url)
    const latest = verdict.kind === 'update' ? verdict.latest : undefined
    if (latest !== undefined && latest !== this.#update)
      this.#logger.info({ event: 'update', latest }, updateMessage(AGENT_VERSION, latest))
    this.#update = latest
    return undefined
  }

  /** How far the Orc's clock is ahead of this machine's. */
  clock(skewMs: number): void {
    const seconds = Math.round(skewMs / 1000)
    const isWrong = Math.abs(seconds) >= WARN_SKEW_SECONDS
    if (isWrong && !this.#isClockTold) {
      const differs = `${Math.abs(seconds)} s ${seconds > 0 ? 'behind' : 'ahead of'}`
      this.#logger.warn(
        { event: 'clock', orc: this.#url, seconds },
        `this machine's clock is ${differs} the Orc's; the Orc's is used, but set this one right (Linux: timedatectl set-ntp true)`,
      )
    }
    this.#isClockTold = isWrong
  }
}
