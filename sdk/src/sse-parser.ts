/**
 * Server-sent events, as the WHATWG defines them, down to their data. Pure: bytes go in however they were cut, also
 * inside a character or a line end, and the data of each finished event comes out.
 */
export class SseParser {
  readonly #decoder = new TextDecoder()
  #line = ''
  #data: string[] = []
  #skipsLineFeed = false

  /** The data of the events that these bytes finish. */
  push(bytes: Uint8Array): string[] {
    return this.#read(this.#decoder.decode(bytes, { stream: true }))
  }

  /** The event that the end of the stream finishes, if it did not finish itself by an empty line. */
  end(): string[] {
    return this.#read(`${this.#decoder.decode()}\n\n`)
  }

  #read(received: string): string[] {
    if (received === '') return []
    const text = this.#skipsLineFeed && received.startsWith('\n') ? received.slice(1) : received
    this.#skipsLineFeed = received.endsWith('\r')
    const events: string[] = []
    const lines = text.split(/\r\n|\n|\r/)
    const unfinished = lines.pop() ?? ''
    for (const part of lines) {
      const line = this.#line + part
      this.#line = ''
      if (line !== '') this.#field(line)
      else if (this.#data.length > 0) {
        events.push(this.#data.join('\n'))
        this.#data = []
      }
    }
    this.#line += unfinished
    return events
  }

  /** Comments begin with the colon, so that their field's name is empty. */
  #field(line: string): void {
    const [, name, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? []
    if (name === 'data') this.#data.push(value)
  }
}
