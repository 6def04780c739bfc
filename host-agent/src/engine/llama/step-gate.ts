/**
 * The turn of who needs a context for a moment while nothing is computed in it. The library keeps a context to itself for as long as there is
 * a token to compute, which with two answers under way is always: a third, whose sequence has to be made ready first, would wait
 * until one of them ends. So answers pass here before each of their steps, and let it go first.
 */
export class StepGate {
  #inside = 0
  #opened: PromiseWithResolvers<void> | undefined

  /** Runs `work` between two steps of the answers under way. */
  async between<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#inside++
    this.#opened ??= Promise.withResolvers()
    try {
      return await work()
    } finally {
      this.#inside--
      if (this.#inside === 0) {
        this.#opened.resolve()
        this.#opened = undefined
      }
    }
  }

  /** Resolves when the next step may begin; undefined if it may at once, since a promise for each token takes its time. */
  get closed(): Promise<void> | undefined {
    return this.#opened?.promise
  }
}
