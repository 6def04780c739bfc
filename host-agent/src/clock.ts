/** Time as an argument, so that tests decide when it passes. */
export interface Clock {
  /** Milliseconds; of which epoch depends on the clock. */
  now(): number
  /** Calls back after the delay; returns the function that prevents it. */
  after(delayMs: number, callback: () => void): () => void
}

function after(delayMs: number, callback: () => void): () => void {
  const timer = setTimeout(callback, delayMs)
  return () => clearTimeout(timer)
}

/** Milliseconds since 1970, as tokens and receipts use it. */
export const systemClock: Clock = { now: () => Date.now(), after }

/** Milliseconds that never jump, for measuring. */
export const monotonicClock: Clock = { now: () => performance.now(), after }

/** Resolves after the delay or when the signal is aborted, whichever comes first. */
export function sleep(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const cancel = clock.after(delayMs, () => {
      signal.removeEventListener('abort', onAbort)
      resolve()
    })
    function onAbort(): void {
      cancel()
      resolve()
    }
    signal.addEventListener('abort', onAbort, { once: true })
  })
}
