import type { ModelProgress } from '../control/control-wire.ts'
import type { CommandOutput } from './command-output.ts'
import { formatBytes, formatSeconds } from './human-units.ts'

const BAR_WIDTH = 24
const CLEAR_LINE = '\r\u001B[K'
/** Where nothing can be drawn over, a line for each tenth. */
const PERCENT_STEP = 10

const PHASES: Readonly<Record<ModelProgress['phase'], string>> = {
  waiting: 'waiting',
  downloading: 'downloading',
  verifying: 'checking',
}

/** Shows how far a download is: a bar on a terminal, a line now and then elsewhere. */
export class ProgressLine {
  readonly #output: CommandOutput
  #drawn = false
  #lastStep = ''

  constructor(output: CommandOutput) {
    this.#output = output
  }

  show(progress: ModelProgress): void {
    const { phase, bytes, totalBytes } = progress
    const share = totalBytes === 0 ? 0 : Math.min(1, bytes / totalBytes)
    const text = describe(progress, Math.floor(share * 100))
    if (this.#output.isTerminal) {
      const full = Math.round(share * BAR_WIDTH)
      const bar = `${'█'.repeat(full)}${'░'.repeat(BAR_WIDTH - full)} ${text}`
      this.#drawn = true
      return this.#output.note(`${CLEAR_LINE}${bar.slice(0, this.#output.width - 1)}`)
    }
    const step = `${phase} ${Math.floor((share * 100) / PERCENT_STEP)}`
    if (step === this.#lastStep) return
    this.#lastStep = step
    this.#output.note(`${text}\n`)
  }

  /** Takes the bar away. */
  end(): void {
    if (this.#drawn) this.#output.note(CLEAR_LINE)
    this.#drawn = false
  }
}

function describe(progress: ModelProgress, percent: number): string {
  const { phase, bytes, totalBytes, bytesPerSecond, etaSeconds } = progress
  const parts = [`${PHASES[phase]} ${percent} %, ${formatBytes(bytes)} of ${formatBytes(totalBytes)}`]
  if (bytesPerSecond > 0) parts.push(`${formatBytes(bytesPerSecond)}/s`)
  if (etaSeconds !== undefined && etaSeconds > 0) parts.push(`${formatSeconds(etaSeconds)} left`)
  return parts.join(', ')
}
