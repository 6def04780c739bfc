/** A token under a grammar is sampled in milliseconds. One that takes so long shows a grammar made to be slow. */
const LONGEST_SAMPLING_MS = 3_000
/** So long no grammar of good will takes, on any machine: nothing can interrupt it but the end of the process. */
const DEADLY_SAMPLING_MS = 30_000

/**
 * Times the sampling of each token under a grammar. All sampling of a model goes through one thread, so that a slow grammar
 * holds up everybody: it loses its job, and the whole process if it does not come back. The agent starts that again.
 */
export class GrammarMeter {
  readonly #clock: () => number
  readonly #bite: () => void
  /** Undefined while no grammar is at work. */
  #startedAt: number | undefined
  #timer: NodeJS.Timeout | undefined
  /** When the token before was sampled, of any job: those that wait for a slow one are not slow themselves. */
  static #lastFinishedAt = 0

  constructor(
    clock: () => number = () => performance.now(),
    bite: () => void = () => void process.kill(process.pid, 'SIGKILL'),
  ) {
    this.#clock = clock
    this.#bite = bite
  }

  /** The sampling of a token begins. */
  started(): void {
    this.#startedAt = this.#clock()
    clearTimeout(this.#timer)
    this.#timer = setTimeout(this.#bite, DEADLY_SAMPLING_MS)
  }

  /** It is over. Throws if it took too long. */
  finished(): void {
    this.stop()
    if (this.#startedAt === undefined) return
    const now = this.#clock()
    const tookMs = now - Math.max(this.#startedAt, GrammarMeter.#lastFinishedAt)
    this.#startedAt = undefined
    GrammarMeter.#lastFinishedAt = now
    if (tookMs > LONGEST_SAMPLING_MS)
      throw new Error('the output format takes too long at each token; use fewer optional parts in a row')
  }

  stop(): void {
    clearTimeout(this.#timer)
  }
}
