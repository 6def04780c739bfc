import { ExitCode } from './exit-codes.ts'

/** Something that runs and must be ended. */
export interface Stoppable {
  readonly stop: () => Promise<unknown>
  /** Ends it at once; must not wait. */
  readonly kill: () => unknown
}

/**
 * Ends what was started, the latest first. The first Ctrl-C (or SIGTERM, SIGHUP) stops everything in order, the
 * second kills.
 */
export class Shutdown {
  readonly #running: Stoppable[] = []
  readonly #onSignal: () => void
  readonly #requested: Promise<void>
  #request: () => void = () => undefined
  #isRequested = false

  constructor() {
    this.#requested = new Promise((resolve) => {
      this.#request = resolve
    })
    this.#onSignal = () => this.#signal()
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, this.#onSignal)
  }

  /** Whether somebody asked for the end. What fails after that is no news. */
  get isRequested(): boolean {
    return this.#isRequested
  }

  /** Resolves when somebody asks for the end. */
  get requested(): Promise<void> {
    return this.#requested
  }

  /** Will be ended, before everything that was added earlier. */
  add(item: Stoppable): void {
    this.#running.push(item)
  }

  /** Ends everything in order. */
  async stop(): Promise<void> {
    for (let item = this.#running.at(-1); item !== undefined; item = this.#running.at(-1)) {
      await item.stop()
      this.#running.pop()
    }
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, this.#onSignal)
  }

  #signal(): void {
    if (this.#isRequested) {
      for (const item of this.#running) item.kill()
      process.exit(ExitCode.Killed)
    }
    this.#isRequested = true
    this.#request()
  }
}
