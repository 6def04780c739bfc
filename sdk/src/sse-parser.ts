/** Characters that a line may have, and the data of an event: who sends more wants to fill the reader's memory. */
const MAX_LENGTH = 1_048_576

/** A finished event. `id` is its own or that of the last event that had one; empty before the first. */
export interface SseEvent {
  readonly data: string
  readonly id: string
}

/**
 * Server-sent events, as the WHATWG defines them, down to data and id. Pure: bytes go in however they were cut, also
 * inside a character or a line end, and each finished event comes out. Throws `RangeError` where one is longer than a MiB.
 */
export class SseParser {
  // That of workerd takes a byte order mark from the beginning of each piece, so that the stream's own is taken here.
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  #hasBegun = false
  #line = ''
  #data: string[] = []
  #dataLength = 0
  #id = ''
  #skipsLineFeed = false

  /** The events that these bytes finish. */
  push(bytes: Uint8Array): SseEvent[] {
    return this.#read(this.#decoder.decode(bytes, { stream: true }))
  }

  /** The event that the end of the stream finishes, if it did not finish itself by an empty line. */
  end(): SseEvent[] {
    return this.#read(`${this.#decoder.decode()}\n\n`)
  }

  #read(received: string): SseEvent[] {
    if (received === '') return []
    const isSkipped = this.#hasBegun
      ? this.#skipsLineFeed && received.startsWith('\n')
      : received.startsWith('\ufeff')
    const text = isSkipped ? received.slice(1) : received
    this.#hasBegun = true
    this.#skipsLineFeed = received.endsWith('\r')
    const events: SseEvent[] = []
    const lines = text.split(/\r\n|\n|\r/)
    const unfinished = lines.pop() ?? ''
    for (const part of lines) {
      const line = this.#line + part
      this.#line = ''
      limit(line.length)
      if (line !== '') this.#field(line)
      else if (this.#data.length > 0) {
        events.push({ data: this.#data.join('\n'), id: this.#id })
        this.#data = []
        this.#dataLength = 0
      }
    }
    this.#line += unfinished
    limit(this.#line.length)
    return events
  }

  /** Comments begin with the colon, so that their field's name is empty. */
  #field(line: string): void {
    const [, name, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? []
    if (name === 'data') {
      this.#data.push(value)
      limit((this.#dataLength += value.length + 1))
    } else if (name === 'id') this.#id = value
  }
}

function limit(length: number): void {
  if (length > MAX_LENGTH) throw new RangeError('An event of the stream is longer than 1 MiB.')
}
