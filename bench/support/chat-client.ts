import { Pool } from 'undici'

/** How one streamed answer came. Times are of `performance.now()`. */
export interface Streamed {
  readonly sentAt: number
  /** When the first event with text came. */
  readonly firstAt: number
  /** When the last event with text came. */
  readonly lastAt: number
  readonly completionTokens: number
  /** Events with text. */
  readonly chunks: number
}

/** A client that keeps its connections, as OpenAI's own does. */
export class ChatClient {
  readonly #pool: Pool
  readonly #headers: Readonly<Record<string, string>>

  /** `headers` go with each request beside the usual ones. */
  constructor(url: string, key: string, connections: number, headers: Readonly<Record<string, string>> = {}) {
    this.#pool = new Pool(url, { connections, pipelining: 1, headersTimeout: 60_000, bodyTimeout: 60_000 })
    this.#headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers }
  }

  /** Sends one chat completion and reads its stream to the end. Throws if it does not come to one. */
  async chat(body: string): Promise<Streamed> {
    const sentAt = performance.now()
    const { statusCode, body: stream } = await this.#pool.request({
      path: '/v1/chat/completions',
      method: 'POST',
      headers: this.#headers,
      body,
    })
    if (statusCode !== 200) throw new Error(`${statusCode} ${await stream.text()}`)
    let firstAt = 0
    let lastAt = 0
    let unread = ''
    let usage = ''
    let chunks = 0
    stream.setEncoding('utf8')
    for await (const part of stream) {
      const now = performance.now()
      const events = (unread + String(part)).split('\n\n')
      unread = events.pop() ?? ''
      for (const event of events) {
        // Looked at, not parsed, so that the client costs little beside what it measures.
        if (event.includes('"content":"') && !event.includes('"content":""')) {
          if (firstAt === 0) firstAt = now
          lastAt = now
          chunks++
        } else if (event.includes('"usage":{') || event.startsWith('data: {"error"')) usage = event
      }
    }
    const [, tokens] = /"completion_tokens":(\d+)/.exec(usage) ?? []
    if (tokens === undefined || firstAt === 0) throw new Error(`the stream broke off: ${usage}`)
    return { sentAt, firstAt, lastAt, completionTokens: Number(tokens), chunks }
  }

  /** Milliseconds until a route has answered completely. Throws if it is not the expected status. */
  async time(path: string, expected = 200, key?: string): Promise<number> {
    const headers = key === undefined ? this.#headers : { authorization: `Bearer ${key}` }
    const sentAt = performance.now()
    const { statusCode, body } = await this.#pool.request({ path, method: 'GET', headers })
    await body.dump()
    const elapsedMs = performance.now() - sentAt
    if (statusCode !== expected) throw new Error(`${path} answered ${statusCode}, not ${expected}`)
    return elapsedMs
  }

  async close(): Promise<void> {
    await this.#pool.destroy()
  }
}
