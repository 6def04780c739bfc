import { FRAME_HEADER_BYTES } from '@daisi/protocol'

/** Text of a part of a result, in bytes: far below the limit of a frame, and enough of it to tell what it is a part of. */
const MOST_PART_BYTES = 32 * 1024
const LEAST_PART_BYTES = 64
/** Parts of base64 end between two groups of characters, so that its padding stays together. */
const GROUP_BYTES = 4

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
    let rest = text
    while (!signal.aborted) {
      const room = Math.min(this.#windowBytes - FRAME_HEADER_BYTES, MOST_PART_BYTES)
      if (room < Math.min(rest.length, LEAST_PART_BYTES)) {
        await this.#granted(signal)
        continue
      }
      const part = room >= rest.length ? rest : rest.slice(0, room - (room % GROUP_BYTES))
      rest = rest.slice(part.length)
      const last = rest === ''
      this.#windowBytes -= FRAME_HEADER_BYTES + part.length
      if (last) this.#emittedTokens += tokenCount
      this.#emit({ text: part, last, tokenCount: last ? tokenCount : 0 })
      if (last) return
    }
  }

  /** Resolves at the next grant, or when the signal is aborted. */
  async #granted(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const wake = (): void => resolve()
    this.#wake = wake
    signal.addEventListener('abort', wake, { once: true })
    await promise
    signal.removeEventListener('abort', wake)
  }
}
