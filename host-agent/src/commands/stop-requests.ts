import { ExitCode } from '../exit-codes.ts'
import type { Logger } from '../log.ts'

/** Wishes to end: SIGINT, SIGTERM, the owner's `q` or `stop`. The first asks to finish what runs, the second ends at once. */
export class StopRequests {
  readonly first: Promise<undefined>
  readonly #logger: Logger
  #resolve: (nothing: undefined) => void = () => {}
  #asked = false

  constructor(logger: Logger) {
    this.#logger = logger
    this.first = new Promise((resolve) => {
      this.#resolve = resolve
    })
    process.on('SIGINT', this.ask)
    process.on('SIGTERM', this.ask)
  }

  readonly ask = (): void => {
    if (this.#asked) {
      this.#logger.warn('stopped at once; running jobs are lost')
      process.exit(ExitCode.Interrupted)
    }
    this.#asked = true
    this.#resolve(undefined)
  }
}
