/** Time and chance, so that tests own both. */
export interface Clock {
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** 0 up to 1. */
  readonly random: () => number
  /** Resolves after the time, or at once when the signal fires. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
}

export const systemClock: Clock = {
  now: Date.now,
  random: Math.random,
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', wake)
        resolve()
      }
      const timer = setTimeout(wake, ms)
      if (signal.aborted) wake()
      else signal.addEventListener('abort', wake)
    }),
}
