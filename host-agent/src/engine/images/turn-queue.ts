/** Work that is done one piece after the other, in the order in which it was asked for. */
export class TurnQueue {
  #last: Promise<unknown> = Promise.resolve()

  /** Does `work` when it is its turn; throws the signal's reason if that is aborted before. */
  async next<Result>(signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
    const before = this.#last
    const { promise, resolve } = Promise.withResolvers<void>()
    // Whoever comes next also waits for those who were here before this one gave up.
    this.#last = Promise.all([before, promise])
    try {
      await turn(before, signal)
      return await work()
    } finally {
      resolve()
    }
  }
}

async function turn(before: Promise<unknown>, signal: AbortSignal): Promise<void> {
  const { promise: aborted, resolve } = Promise.withResolvers<void>()
  const onAbort = (): void => resolve()
  signal.addEventListener('abort', onAbort, { once: true })
  if (!signal.aborted) await Promise.race([before, aborted])
  signal.removeEventListener('abort', onAbort)
  signal.throwIfAborted()
}
