import { FRAME_HEADER_BYTES } from '@daisi/protocol'

/** Most bytes of one part of a result, far below the limit of a frame. */
const PART_BYTES = 32 * 1024

/** A part of a result, see `EngineEvent`. */
export interface ResultPart {
  readonly text: string
  readonly last: boolean
  readonly tokenCount: number
}

/** Cuts results into parts (F8) and hands them out as the window allows (F5). */
export class ResultWriter {
  readonly #emit: (part: ResultPart) => void
  #windowBytes: number
  #wake: (() => void) | undefined
  #emittedTokens = 0

  constructor(windowBytes: number, emit: (part: ResultPart) => void) {
    this.#windowBytes = windowBytes
    this.#emit = emit
  }

  /** Token equivalents of the results that were written whole. */
  get emittedTokens(): number {
    return this.#emittedTokens
  }

  /** More bytes may be sent. */
  grant(bytes: number): void {
    this.#windowBytes += bytes
    this.#wake?.()
  }

  /** Writes one result of ASCII text. Resolves when all of it is out, or the signal is aborted. */
  async write(text: string, tokenCount: number, signal: AbortSignal): Promise<void> {
    let start = 0
    do {
      const part = text.slice(start, start + PART_BYTES)
      if (!(await this.#room(FRAME_HEADER_BYTES + part.length, signal))) return
      start += part.length
      const last = start >= text.length
      this.#emit({ text: part, last, tokenCount: last ? tokenCount : 0 })
    } while (start < text.length)
    this.#emittedTokens += tokenCount
  }

  async #room(bytes: number, signal: AbortSignal): Promise<boolean> {
    while (this.#windowBytes < bytes && !signal.aborted)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
    if (signal.aborted) return false
    this.#windowBytes -= bytes
    return true
  }
}
