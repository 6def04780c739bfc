import { type Socket, connect } from 'node:net'

/** An answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly body: Buffer
}

/** How an exchange ended. */
export type Exchange =
  | { readonly kind: 'answered'; readonly answer: RawAnswer; readonly ms: number }
  /** The connection ended before a whole answer was there. */
  | { readonly kind: 'cut'; readonly received: string }
  | { readonly kind: 'silent'; readonly received: string }

interface Waiting {
  readonly onChange: () => void
}

/**
 * One keep-alive connection that sends bytes as they are: what no proper client would send, too. One exchange at a time.
 */
export class RawConnection {
  readonly #port: number
  #socket: Socket | undefined
  #received: Buffer[] = []
  #ended = false
  #waiting: Waiting | undefined

  constructor(port: number) {
    this.#port = port
  }

  /** Sends a request and reads its answer. `thenEnd` says that nothing more will come, as a client that leaves does. */
  async exchange(
    request: Buffer,
    options: { readonly isHead: boolean; readonly thenEnd: boolean; readonly patienceMs: number },
  ): Promise<Exchange> {
    const socket = this.#ready()
    const startedAt = performance.now()
    socket.write(request)
    if (options.thenEnd) socket.end()
    const silent = await this.#until(
      () => this.#ended || this.#answer(options.isHead) !== undefined,
      options.patienceMs,
    )
    const answer = this.#answer(options.isHead)
    const received = Buffer.concat(this.#received).toString('latin1').slice(0, 500)
    const keeps =
      answer?.answer.status !== 101 && answer?.answer.headers.get('connection')?.toLowerCase() !== 'close'
    if (answer === undefined || options.thenEnd || this.#ended || !keeps || answer.rest > 0) this.close()
    this.#received = []
    if (answer !== undefined)
      return { kind: 'answered', answer: answer.answer, ms: performance.now() - startedAt }
    return { kind: silent ? 'silent' : 'cut', received }
  }

  close(): void {
    this.#socket?.destroy()
    this.#socket = undefined
  }

  #ready(): Socket {
    if (this.#socket !== undefined && !this.#ended) return this.#socket
    this.close()
    const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
    this.#socket = socket
    this.#ended = false
    this.#received = []
    const change = (): void => this.#waiting?.onChange()
    const end = (): void => {
      if (this.#socket !== socket) return
      this.#ended = true
      change()
    }
    socket.on('data', (data: Buffer) => {
      if (this.#socket !== socket) return
      this.#received.push(data)
      change()
    })
    socket.on('error', end).on('end', end).on('close', end)
    return socket
  }

  /** True if it took too long. */
  #until(check: () => boolean, patienceMs: number): Promise<boolean> {
    if (check()) return Promise.resolve(false)
    return new Promise((resolve) => {
      const done = (late: boolean): void => {
        clearTimeout(timer)
        this.#waiting = undefined
        resolve(late)
      }
      const timer = setTimeout(() => done(true), patienceMs)
      this.#waiting = { onChange: () => void (check() && done(false)) }
    })
  }

  #answer(isHead: boolean): { answer: RawAnswer; rest: number } | undefined {
    if (this.#received.length > 1) this.#received = [Buffer.concat(this.#received)]
    const [bytes] = this.#received
    return bytes === undefined ? undefined : parseAnswer(bytes, isHead, this.#ended)
  }
}

/** The first whole answer in the bytes, and how many bytes are left after it. */
function parseAnswer(
  bytes: Buffer,
  isHead: boolean,
  ended: boolean,
): { answer: RawAnswer; rest: number } | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n')
  if (headEnd < 0) return undefined
  const [statusLine = '', ...lines] = bytes.toString('latin1', 0, headEnd).split('\r\n')
  const status = Number(statusLine.split(' ')[1])
  const start = headEnd + 4
  if (status >= 100 && status < 200 && status !== 101)
    return parseAnswer(bytes.subarray(start), isHead, ended)
  const headers = new Map<string, string>()
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).toLowerCase()
    const value = line.slice(colon + 1).trim()
    headers.set(name, headers.has(name) ? `${headers.get(name)}, ${value}` : value)
  }
  const whole = (body: Buffer, end: number): { answer: RawAnswer; rest: number } => ({
    answer: { status, headers, body },
    rest: bytes.length - end,
  })
  if (isHead || status === 101 || status === 204 || status === 304) return whole(Buffer.alloc(0), start)
  if (headers.get('transfer-encoding') === 'chunked') {
    const chunked = parseChunks(bytes, start)
    return chunked && whole(chunked.body, chunked.end)
  }
  const length = headers.get('content-length')
  if (length !== undefined) {
    const end = start + Number(length)
    return bytes.length < end ? undefined : whole(bytes.subarray(start, end), end)
  }
  return ended ? whole(bytes.subarray(start), bytes.length) : undefined
}

function parseChunks(bytes: Buffer, start: number): { body: Buffer; end: number } | undefined {
  const chunks: Buffer[] = []
  let at = start
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd < 0) return undefined
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16)
    const end = lineEnd + 2 + size
    if (Number.isNaN(size) || bytes.length < end + 2) return undefined
    if (size === 0) return { body: Buffer.concat(chunks), end: end + 2 }
    chunks.push(bytes.subarray(lineEnd + 2, end))
    at = end + 2
  }
}
