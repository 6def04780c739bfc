import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** One request that a `TestServer` got. */
export interface TestRequest {
  /** Method and path, without the query: `GET /v1/models`. */
  readonly route: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  /** Parsed JSON; undefined where there was no body. */
  readonly body: unknown
  /** Resolves when the connection is closed or the answer was sent. */
  readonly closed: Promise<void>
}

/** Answers a request, or a value to be answered as JSON. */
export type TestRoute = object | ((request: TestRequest, response: ServerResponse) => void)

/** A real HTTP server on loopback with the given routes; 404 for all others. */
export class TestServer {
  readonly routes: Record<string, TestRoute>
  readonly requests: TestRequest[] = []
  port = 0
  readonly #server: Server
  #waiting: (() => void)[] = []

  private constructor(routes: Record<string, TestRoute>) {
    this.routes = routes
    this.#server = createServer((request, response) => void this.#answer(request, response))
  }

  static async start(routes: Record<string, TestRoute>, port = 0): Promise<TestServer> {
    const server = new TestServer(routes)
    server.#server.listen(port, '127.0.0.1')
    await once(server.#server, 'listening')
    server.port = (server.#server.address() as AddressInfo).port
    return server
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** Requests to one route so far. */
  to(route: string): TestRequest[] {
    return this.requests.filter((request) => request.route === route)
  }

  /** The request to a route with this place in their order, as soon as it is there. */
  async request(route: string, index = 0): Promise<TestRequest> {
    while (true) {
      const request = this.to(route)[index]
      if (request !== undefined) return request
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url)
    const closed = new Promise<void>((resolve) => response.once('close', resolve))
    const body = await text(request)
    const received: TestRequest = {
      route: `${request.method} ${url.pathname}`,
      query: url.searchParams,
      headers: request.headers,
      body: body === '' ? undefined : (JSON.parse(body) as unknown),
      closed,
    }
    this.requests.push(received)
    for (const wake of this.#waiting.splice(0)) wake()
    const route = this.routes[received.route]
    if (route === undefined) json(response, 404, { error: { message: 'not found', code: 404 } })
    else if (typeof route === 'function') route(received, response)
    else json(response, 200, route)
  }
}

/** Answers with JSON. */
export function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

/** Begins a stream of events; returns what sends one, as JSON unless it is text. */
export function eventStream(response: ServerResponse): (event: unknown) => boolean {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
  response.flushHeaders()
  return (event) => response.write(`data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`)
}

/** One chunk of a streamed answer in OpenAI's shape. */
export function chunk(content: string | undefined, finishReason: string | null = null): object {
  const delta = content === undefined ? {} : { content }
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'm',
    choices: [{ index: 0, delta, finish_reason: finishReason }],
  }
}

/** The chunk that has the counts. */
export function usageChunk(promptTokens: number, completionTokens: number, cachedTokens?: number): object {
  const usage = {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    ...(cachedTokens !== undefined && { prompt_tokens_details: { cached_tokens: cachedTokens } }),
  }
  return { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [], usage }
}

/** A route that streams these texts, counts them and ends well. */
export function chatRoute(texts: readonly string[], usage = usageChunk(9, texts.length)): TestRoute {
  return (_, response) => {
    const send = eventStream(response)
    for (const content of texts) send(chunk(content))
    send(chunk(undefined, 'stop'))
    send(usage)
    send('[DONE]')
    response.end()
  }
}
