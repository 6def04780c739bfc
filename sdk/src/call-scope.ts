import { DaisiError } from './error.ts'

/** Longest delay that timers take; beyond it they fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

/**
 * The life of one call: the caller's signal and the timeout in one signal, whose reason is the error to throw. So
 * `timeout` and `aborted` are told apart where they happen and nowhere else.
 */
export class CallScope {
  readonly #controller = new AbortController()
  readonly #timeoutMs: number
  readonly #callerSignal: AbortSignal | undefined
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(timeoutMs: number, callerSignal?: AbortSignal) {
    this.#timeoutMs = timeoutMs
    this.#callerSignal = callerSignal
    callerSignal?.addEventListener('abort', this.#onCallerAbort)
    if (callerSignal?.aborted) this.#onCallerAbort()
    this.startTimer()
  }

  /** Goes to `fetch`. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Lets the time run anew. */
  startTimer(ms: number = this.#timeoutMs): void {
    this.stopTimer()
    if (ms > MAX_TIMER_MS) return
    this.#timer = setTimeout(() => {
      const message = `No answer within ${ms} ms.`
      this.#controller.abort(new DaisiError(message, { code: 'timeout', isRetryable: true }))
    }, ms)
  }

  stopTimer(): void {
    clearTimeout(this.#timer)
  }

  /** Ends the request as the caller's wish. */
  abort(cause?: unknown): void {
    this.fail(new DaisiError('The call was aborted.', { code: 'aborted', isRetryable: false, cause }))
  }

  /** Ends the request for this reason, unless it has ended. */
  fail(reason: DaisiError): void {
    this.#controller.abort(reason)
  }

  /** Lets go of timer and signal; the scope can no longer fire by itself. */
  close(): void {
    this.stopTimer()
    this.#callerSignal?.removeEventListener('abort', this.#onCallerAbort)
  }

  /** Settles as the work does, or rejects at once when the scope ends, even if the work ignores its signal. */
  race<T>(work: Promise<T>): Promise<T> {
    const { signal } = this
    return new Promise((resolve, reject) => {
      const onAbort = (): void => reject(signal.reason)
      if (signal.aborted) onAbort()
      signal.addEventListener('abort', onAbort)
      void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
    })
  }

  /** Why the work failed: the scope's own reason if it ended, else the connection. */
  failureOf(cause: unknown): DaisiError {
    if (DaisiError.isInstance(this.signal.reason)) return this.signal.reason
    const message = `The connection failed: ${cause instanceof Error ? cause.message : String(cause)}`
    return new DaisiError(message, { code: 'connection_error', isRetryable: true, cause })
  }

  readonly #onCallerAbort = (): void => this.abort(this.#callerSignal?.reason)
}
