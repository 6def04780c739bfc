import { FRAME_HEADER_BYTES } from '@daisi/protocol'

/** How many bytes of frames may still be sent (F5). */
export class SendWindow {
  #bytes: number
  readonly #waiting = new Set<() => void>()

  constructor(bytes: number) {
    this.#bytes = bytes
  }

  /** Bytes of text that a frame may have now; below 1 if it may have none. */
  get room(): number {
    return this.#bytes - FRAME_HEADER_BYTES
  }

  /** Notes a frame with so many bytes of text. */
  sent(textBytes: number): void {
    this.#bytes -= FRAME_HEADER_BYTES + textBytes
  }

  grant(bytes: number): void {
    this.#bytes += bytes
    for (const wake of this.#waiting) wake()
    this.#waiting.clear()
  }

  /** Resolves at the next grant, or when the signal is aborted. */
  async granted(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const wake = (): void => resolve()
    this.#waiting.add(wake)
    signal.addEventListener('abort', wake, { once: true })
    await promise
    signal.removeEventListener('abort', wake)
    this.#waiting.delete(wake)
  }
}
