/** Aborts its signal when nothing was heard for a while, or when another signal is aborted. */
export class IdleWatch implements Disposable {
  readonly signal: AbortSignal
  readonly #silence = new AbortController()
  readonly #timer: NodeJS.Timeout

  constructor(idleMs: number, signal: AbortSignal) {
    this.signal = AbortSignal.any([signal, this.#silence.signal])
    this.#timer = setTimeout(() => this.#silence.abort(), idleMs)
  }

  /** True if silence ended it. */
  get expired(): boolean {
    return this.#silence.signal.aborted
  }

  touch(): void {
    this.#timer.refresh()
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
  }
}
