import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** One request that a server got. */
export interface SeenRequest {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** What its Range header asks for, end excluded. */
  readonly range: { readonly start: number; readonly end: number } | undefined
}

type Answer = (request: SeenRequest, response: ServerResponse, number: number) => void | Promise<void>

/** A real HTTP server for downloads, on loopback. Its files answer as a good server does unless `answer` says otherwise. */
export class ModelServer implements AsyncDisposable {
  readonly seen: SeenRequest[] = []
  /** Called in place of the default for each request; `number` counts them from 0. */
  answer: Answer
  content: Buffer
  etag: string | undefined = '"first"'
  ranges = true
  readonly #server: Server

  private constructor(content: Buffer) {
    this.content = content
    this.answer = (request, response) => this.send(request, response)
    this.#server = createServer((incoming, response) => {
      const number = this.seen.length
      const request = {
        path: incoming.url ?? '',
        headers: incoming.headers,
        range: rangeOf(incoming.headers),
      }
      this.seen.push(request)
      void this.answer(request, response, number)
    })
  }

  static async start(content: Buffer): Promise<ModelServer> {
    const server = new ModelServer(content)
    server.#server.listen(0, '127.0.0.1')
    await once(server.#server, 'listening')
    return server
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** The requests for the file's content: those that are not the first look at its beginning. */
  get downloads(): readonly SeenRequest[] {
    return this.seen.filter(({ range }) => range?.start !== 0 || range.end !== 4)
  }

  /** Answers as a good server does. With `stop`, the connection breaks after so many bytes of the body, when the promise resolves. */
  send(request: SeenRequest, response: ServerResponse, stop?: { bytes: number; when: Promise<void> }): void {
    const { start, end } = (this.ranges ? request.range : undefined) ?? { start: 0, end: this.content.length }
    const body = this.content.subarray(start, Math.min(end, this.content.length))
    const partial = this.ranges && request.range !== undefined
    response.writeHead(partial ? 206 : 200, {
      'content-length': body.length,
      ...(this.etag !== undefined && { etag: this.etag }),
      ...(partial && {
        'content-range': `bytes ${start}-${start + body.length - 1}/${this.content.length}`,
      }),
    })
    if (stop === undefined) return void response.end(body)
    response.flushHeaders()
    response.write(body.subarray(0, stop.bytes))
    void stop.when.then(() => response.destroy())
  }

  /** Answers with a status and nothing else. */
  refuse(response: ServerResponse, status: number, headers: Record<string, string> = {}): void {
    response.writeHead(status, headers).end()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }
}

function rangeOf(headers: IncomingHttpHeaders): SeenRequest['range'] {
  const match = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '')
  return match === null ? undefined : { start: Number(match[1]), end: Number(match[2]) + 1 }
}
