import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { webSocketMessages } from './web-socket-bytes.ts'

/** The bytes of one connection, as its client sees them. */
interface Recording {
  readonly sent: Buffer[]
  readonly received: Buffer[]
}

/** A way to a server on this machine that keeps every byte. Nothing in it is encrypted, so all of it can be read. */
export class RecordingProxy implements AsyncDisposable {
  readonly port: number
  /** Connections whose client says something like this are dropped. */
  refused: RegExp | undefined
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #recordings: Recording[]

  private constructor(server: Server, recordings: Recording[]) {
    this.port = (server.address() as AddressInfo).port
    this.#server = server
    this.#recordings = recordings
  }

  /** `from` is the loopback address that the server sees as its caller's. */
  static async start(targetPort: number, from = '127.0.0.1'): Promise<RecordingProxy> {
    const recordings: Recording[] = []
    const server = createServer((client) => {
      const upstream = connect({ port: targetPort, host: '127.0.0.1', localAddress: from })
      const recording: Recording = { sent: [], received: [] }
      recordings.push(recording)
      for (const socket of [client, upstream]) {
        proxy.#sockets.add(socket)
        socket.on('error', () => undefined)
        socket.on('close', () => {
          proxy.#sockets.delete(socket)
          client.destroy()
          upstream.destroy()
        })
      }
      client.on('data', (bytes: Buffer) => {
        if (proxy.refused?.test(bytes.toString('latin1')) === true) return void client.destroy()
        recording.sent.push(bytes)
        upstream.write(bytes)
      })
      upstream.on('data', (bytes: Buffer) => {
        recording.received.push(bytes)
        client.write(bytes)
      })
      client.on('end', () => upstream.end())
      upstream.on('end', () => client.end())
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const proxy = new RecordingProxy(server, recordings)
    return proxy
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** Everything that clients sent so far, one connection after the other. */
  get sent(): string {
    return this.#recordings.map(({ sent }) => Buffer.concat(sent).toString('latin1')).join('\n')
  }

  /** Everything that they were sent. */
  get received(): string {
    return this.#recordings.map(({ received }) => Buffer.concat(received).toString('latin1')).join('\n')
  }

  /** What clients were sent over WebSockets, message by message. */
  get receivedMessages(): readonly string[] {
    return this.#recordings.flatMap(({ received }) => webSocketMessages(Buffer.concat(received)))
  }

  /** What they sent over WebSockets, without the masks. */
  get sentMessages(): readonly string[] {
    return this.#recordings.flatMap(({ sent }) => webSocketMessages(Buffer.concat(sent)))
  }

  /** Takes no connection any more, and drops those that there are. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.close()
  }
}
