import type { ServerResponse } from 'node:http'

/** What a reader may leave unread before it is dropped. */
const LARGEST_BACKLOG_BYTES = 1024 * 1024

/** An answer of one JSON value a line, sent as things happen. A reader that does not read is cut off, so that nothing piles up here. */
export class JsonLines<Value> {
  readonly #response: ServerResponse

  constructor(response: ServerResponse) {
    this.#response = response
    response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' })
    response.flushHeaders()
  }

  write(value: Value): void {
    if (this.#response.destroyed || this.#response.writableEnded) return
    this.#response.write(`${JSON.stringify(value)}\n`)
    if (this.#response.writableLength > LARGEST_BACKLOG_BYTES) this.#response.destroy()
  }

  end(): void {
    this.#response.end()
  }
}
