import { type Answerer, eventStream, eventText, frames } from './answers.ts'
import type { Fault } from './fake-orc.ts'

/** A streamed answer that the test sends piece by piece, with what became of its request. */
export class ManualStream {
  /** Resolves when the reader has cancelled the body. */
  readonly cancelled: Promise<void>
  /** Resolves when the request was aborted. */
  readonly aborted: Promise<void>
  readonly #controller: ReadableStreamDefaultController<Uint8Array>
  readonly #body: ReadableStream<Uint8Array>
  readonly #by: Answerer
  #onAborted: () => void = () => undefined

  constructor(by: Answerer = 'orc') {
    this.#by = by
    let controller: ReadableStreamDefaultController<Uint8Array> | undefined
    let onCancelled = (): void => undefined
    this.cancelled = new Promise((resolve) => (onCancelled = resolve))
    this.aborted = new Promise((resolve) => (this.#onAborted = resolve))
    this.#body = new ReadableStream<Uint8Array>({
      start: (own) => void (controller = own),
      cancel: () => onCancelled(),
    })
    if (controller === undefined) throw new Error('a stream starts at once')
    this.#controller = controller
  }

  readonly answer: Fault = ({ signal }) => {
    signal.addEventListener('abort', this.#onAborted)
    return eventStream(this.#body, this.#by)
  }

  send(text: string): void {
    this.bytes(new TextEncoder().encode(text))
  }

  bytes(bytes: Uint8Array): void {
    this.#controller.enqueue(bytes)
  }

  event(value: unknown): void {
    this.send(eventText(value, this.#by))
  }

  /** All of these, and `[DONE]`. */
  events(values: readonly unknown[]): void {
    this.send(frames(values, this.#by))
  }

  /** The same, byte by byte. */
  eachByteOf(values: readonly unknown[]): void {
    for (const byte of new TextEncoder().encode(frames(values, this.#by))) this.bytes(Uint8Array.of(byte))
  }

  end(): void {
    this.#controller.close()
  }

  /** The connection breaks. */
  break(): void {
    this.#controller.error(new TypeError('terminated'))
  }
}
