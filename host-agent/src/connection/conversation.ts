import {
  CloseCode,
  decodeDown,
  type Down,
  encodeUp,
  type Hello,
  PING_DEADLINE_MS,
  PING_INTERVAL_MS,
  type Up,
  type Welcome,
} from '@daisi/protocol'
import type { Clock } from '../clock.ts'
import type { JobOutlet } from '../jobs/orc-delivery.ts'
import type { Socket, SocketMessage } from './socket.ts'

/** The Orc answers `hello` in this time, or the connection is given up. */
export const WELCOME_DEADLINE_MS = 10_000

/** How a connection ended. `code` is that of the close, 1006 for none. */
export interface Ending {
  readonly code: number
  readonly reason: string
}

/** What the rest of the agent does with a live connection. */
export interface ConversationHandler {
  /** The Orc greeted back (H2). Comes once, before any other message. */
  onWelcome(welcome: Welcome, outlet: JobOutlet): void
  onMessage(message: Exclude<Down, Welcome>, outlet: JobOutlet): void
}

/** One connection after the upgrade: greeting, liveness and decoding. Knows nothing of jobs. */
export class Conversation implements JobOutlet {
  readonly #socket: Socket
  readonly #handler: ConversationHandler
  readonly #clock: Clock
  #welcomed = false
  #deadline: (() => void) | undefined
  #pinging: (() => void) | undefined
  #ended: Ending | undefined

  constructor(socket: Socket, handler: ConversationHandler, clock: Clock) {
    this.#socket = socket
    this.#handler = handler
    this.#clock = clock
  }

  /** Greets and talks until the connection ends. */
  run(hello: Hello): Promise<Ending> {
    return new Promise((resolve) => {
      this.#socket.onClose((code, reason) => {
        this.#stopTimers()
        resolve(this.#ended ?? { code, reason })
      })
      this.#socket.onMessage((message) => this.#onMessage(message))
      this.send(hello)
      this.#deadline = this.#clock.after(WELCOME_DEADLINE_MS, () => this.#giveUp('no welcome came'))
    })
  }

  send(message: Up): void {
    this.#socket.sendText(encodeUp(message))
  }

  sendFrame(bytes: Uint8Array<ArrayBuffer>): void {
    this.#socket.sendBytes(bytes)
  }

  /** Ends the connection; what arrives after it is ignored. */
  close(code: number, reason: string): void {
    this.#ended ??= { code, reason }
    this.#socket.close(code, reason)
  }

  #onMessage(message: SocketMessage): void {
    if (this.#ended !== undefined) return
    if (message.kind === 'binary') return this.close(CloseCode.BadMessage, 'binary_message')
    if (message.kind === 'too-large') return this.close(CloseCode.TooLarge, 'message_too_large')
    if (message.text === 'pong') return this.#expectPong()
    const decoded = decodeDown(message.text)
    switch (decoded.kind) {
      case 'unknown':
        return
      case 'too-large':
        return this.close(CloseCode.TooLarge, 'message_too_large')
      case 'malformed':
        return this.close(CloseCode.BadMessage, 'bad_message')
      case 'message':
        return this.#dispatch(decoded.message)
    }
  }

  #dispatch(message: Down): void {
    if ((message.type === 'welcome') === this.#welcomed)
      return this.close(CloseCode.BadMessage, 'unexpected_message')
    if (message.type !== 'welcome') return this.#handler.onMessage(message, this)
    this.#welcomed = true
    this.#expectPong()
    this.#ping()
    this.#handler.onWelcome(message, this)
  }

  /** The text `ping`, now and then every interval (H8). */
  #ping(): void {
    this.#pinging = this.#clock.after(PING_INTERVAL_MS, () => {
      this.#socket.sendText('ping')
      this.#ping()
    })
  }

  #expectPong(): void {
    this.#deadline?.()
    this.#deadline = this.#clock.after(PING_DEADLINE_MS, () => this.#giveUp('no pong came'))
  }

  /** The other side is silent: no handshake would be answered. */
  #giveUp(reason: string): void {
    this.#ended ??= { code: CloseCode.Timeout, reason }
    this.#socket.terminate()
  }

  #stopTimers(): void {
    this.#deadline?.()
    this.#pinging?.()
  }
}
