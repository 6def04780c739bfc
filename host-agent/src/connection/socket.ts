import { HOST_SUBPROTOCOL, MAX_MESSAGE_BYTES } from '@daisi/protocol'
import { WebSocket } from 'ws'
import type { TlsTrust } from './orc-transport.ts'

/** What arrived. Binary and oversized messages are never looked into. */
export type SocketMessage =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'binary' }
  | { readonly kind: 'too-large' }

/** An open WebSocket, reduced to what the agent needs. */
export interface Socket {
  sendText(text: string): void
  sendBytes(bytes: Uint8Array<ArrayBuffer>): void
  /** Starts the closing handshake. */
  close(code: number, reason: string): void
  /** Drops the connection without a handshake. */
  terminate(): void
  /** Messages that came before wait for the handler. */
  onMessage(handler: (message: SocketMessage) => void): void
  /** Calls once, also if the socket is closed already. Code 1006 means: without a handshake. */
  onClose(handler: (code: number, reason: string) => void): void
}

/** The upgrade was answered with a status instead of a connection. */
export class UpgradeRefused extends Error {
  readonly status: number

  constructor(status: number) {
    super(`the Orc answered the connection with HTTP ${status}`)
    this.status = status
  }
}

/** `ws` itself closes above this; below it the agent answers an oversized message as the protocol says (H6). */
const HARD_LIMIT_BYTES = MAX_MESSAGE_BYTES * 4

/** Opens a connection. Rejects with `UpgradeRefused`, or with the network's error. */
export function openSocket(
  url: string,
  proof: string,
  trust: TlsTrust,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, HOST_SUBPROTOCOL, {
      ...trust,
      headers: { authorization: `Bearer ${proof}` },
      handshakeTimeout: timeoutMs,
      maxPayload: HARD_LIMIT_BYTES,
      perMessageDeflate: false,
      followRedirects: false,
    })
    const onAbort = (): void => socket.terminate()
    signal.addEventListener('abort', onAbort, { once: true })
    socket.on('error', reject)
    socket.on('unexpected-response', (request, response) => {
      reject(new UpgradeRefused(response.statusCode ?? 0))
      request.destroy()
    })
    socket.on('close', () => signal.removeEventListener('abort', onAbort))
    socket.on('open', () => {
      signal.removeEventListener('abort', onAbort)
      resolve(new WsSocket(socket))
    })
    if (signal.aborted) onAbort()
  })
}

class WsSocket implements Socket {
  readonly #socket: WebSocket
  #closed: { readonly code: number; readonly reason: string } | undefined

  constructor(socket: WebSocket) {
    this.#socket = socket
    // Frames that arrive together with the handshake wait until there is a handler.
    socket.pause()
    socket.on('close', (code, reason) => {
      this.#closed = { code, reason: reason.toString() }
    })
  }

  sendText(text: string): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(text)
  }

  sendBytes(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(bytes)
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason)
  }

  terminate(): void {
    this.#socket.terminate()
  }

  onMessage(handler: (message: SocketMessage) => void): void {
    this.#socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (isBinary) handler({ kind: 'binary' })
      else if (data.length > MAX_MESSAGE_BYTES) handler({ kind: 'too-large' })
      else handler({ kind: 'text', text: data.toString('utf8') })
    })
    this.#socket.resume()
  }

  onClose(handler: (code: number, reason: string) => void): void {
    if (this.#closed === undefined)
      this.#socket.on('close', (code, reason) => handler(code, reason.toString()))
    else handler(this.#closed.code, this.#closed.reason)
  }
}
