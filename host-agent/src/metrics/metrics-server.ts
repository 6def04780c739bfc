import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AgentStatus } from '../control/agent-status.ts'
import { ExitCode, FatalError } from '../exit-codes.ts'
import { METRICS_CONTENT_TYPE, metricsText } from './metrics-text.ts'

const ADDRESS = '127.0.0.1'

/** `GET /metrics` on loopback, for programs of this machine's owner. Off unless asked for. */
export class MetricsServer {
  readonly port: number
  readonly #server: Server

  private constructor(server: Server, port: number) {
    this.#server = server
    this.port = port
  }

  /** Listens on `127.0.0.1`; port 0 takes a free one. Throws a `FatalError` if the port is taken. */
  static async open(port: number, status: () => AgentStatus): Promise<MetricsServer> {
    const server = createServer((request, response) => answer(request, response, status))
    server.requestTimeout = 5_000
    server.maxConnections = 16
    try {
      server.listen(port, ADDRESS)
      await once(server, 'listening')
    } catch (cause) {
      const message = `port ${port} of ${ADDRESS} cannot be listened on; give another one with --metrics`
      throw new FatalError(ExitCode.Usage, 'metrics_listen_failed', message, cause)
    }
    const address = server.address()
    return new MetricsServer(server, typeof address === 'object' && address !== null ? address.port : port)
  }

  async close(): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
    await once(this.#server, 'close')
  }
}

/** Requests with the name of another host come from a page in a browser that was led here (DNS rebinding). */
function answer(request: IncomingMessage, response: ServerResponse, status: () => AgentStatus): void {
  const host = (request.headers.host ?? '').replace(/:\d+$/, '')
  if (host !== ADDRESS && host !== 'localhost') return void response.writeHead(421).end()
  if (request.url?.split('?')[0] !== '/metrics') return void response.writeHead(404).end()
  if (request.method !== 'GET') return void response.writeHead(405, { allow: 'GET' }).end()
  response.writeHead(200, { 'content-type': METRICS_CONTENT_TYPE, 'cache-control': 'no-store' })
  response.end(metricsText(status()))
}
