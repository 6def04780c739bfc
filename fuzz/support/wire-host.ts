import { PROTOCOL_VERSION, type Run, type Up, decodeDown, encodeUp } from '../../protocol/src/index.ts'
import type { HostIdentity } from '../../bench/support/host-identity.ts'
import { type HostSocket, openHostSocket } from '../../bench/support/host-socket.ts'

/** Name of the model that only the fuzzer's own Hosts serve. */
export const WIRE_MODEL = 'wire'

/** How long the Orc may take to answer anything. */
const PATIENCE_MS = 10_000

/** A Job that the Orc gave to this Host, and how far it is by the rules. */
export interface WireJob {
  readonly run: Run
  readonly sessionId: string
  accepted: boolean
  sequence: number
  tokens: number
}

/** How something that was sent was taken: `pong` if the connection is still there. */
export type Taken = 'pong' | 'silent' | number

/** A Host under the fuzzer's control: it proves itself and says hello as it should; what comes after is up to the caller. */
export class WireHost {
  readonly identity: HostIdentity
  readonly jobs = new Map<string, WireJob>()
  readonly #url: string
  #socket: HostSocket | undefined
  #closed: number | undefined
  #onEvent: () => void = () => undefined
  #pongs = 0
  #welcomes = 0

  constructor(url: string, identity: HostIdentity) {
    this.#url = url
    this.identity = identity
  }

  get isOpen(): boolean {
    return this.#socket !== undefined && this.#closed === undefined
  }

  /** Connects with a genuine proof. With `greeting`, says that first and waits for the welcome. */
  async connect(greeting: Up | undefined): Promise<Taken> {
    this.close()
    const socket = openHostSocket(this.#url, await this.identity.proof())
    this.#socket = socket
    this.#closed = undefined
    this.#welcomes = 0
    let isUp = false
    socket.on('open', () => {
      isUp = true
      this.#onEvent()
    })
    socket.on('message', (data, isBinary) => {
      if (!isBinary && Buffer.isBuffer(data)) this.#heard(data.toString())
    })
    socket.on('error', () => undefined)
    socket.on('close', (code) => {
      if (this.#socket !== socket) return
      this.#closed = code
      this.#onEvent()
    })
    const up = await this.#until(() => isUp)
    if (up !== 'pong' || greeting === undefined) return up
    socket.send(encodeUp(greeting))
    return this.#until(() => this.#welcomes > 0)
  }

  /** Sends messages as they are, and waits until the Orc has answered a ping after them or has closed. */
  async send(messages: readonly (string | Uint8Array)[]): Promise<Taken> {
    const expected = this.#pongs + 1
    for (const message of messages) this.#socket?.send(message)
    this.#socket?.send('ping')
    return this.#until(() => this.#pongs >= expected)
  }

  close(): void {
    const socket = this.#socket
    this.#socket = undefined
    socket?.terminate()
    this.jobs.clear()
  }

  #heard(text: string): void {
    if (text === 'pong') this.#pongs++
    const decoded = text === 'pong' ? undefined : decodeDown(text)
    if (decoded?.kind === 'message') {
      const { message } = decoded
      if (message.type === 'welcome') this.#welcomes++
      if (message.type === 'run') {
        const sessionId = sessionIdOf(message.sessionToken)
        this.jobs.set(message.jobId, { run: message, sessionId, accepted: false, sequence: 0, tokens: 0 })
      }
      if (message.type === 'cancel') this.jobs.delete(message.jobId)
    }
    this.#onEvent()
  }

  #until(check: () => boolean): Promise<Taken> {
    return new Promise((resolve) => {
      const done = (how: Taken): void => {
        clearTimeout(timer)
        this.#onEvent = () => undefined
        resolve(how)
      }
      const look = (): void => {
        if (check()) done('pong')
        else if (this.#closed !== undefined) done(this.#closed)
      }
      const timer = setTimeout(() => done('silent'), PATIENCE_MS)
      this.#onEvent = look
      look()
    })
  }
}

/** The `sid` of a token that the Orc sent: nobody else could have. */
function sessionIdOf(token: string): string {
  const claims: { sid: string } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
  return claims.sid
}

/** What a Host says first. */
export function hello(direct: boolean): Up {
  return {
    type: 'hello',
    protocol: { version: PROTOCOL_VERSION, minimum: PROTOCOL_VERSION },
    agent: { name: 'wire-host', version: '0' },
    models: [
      { id: WIRE_MODEL, sha256: 'a'.repeat(64), contextLength: 100_000, kinds: ['chat'], capabilities: [] },
    ],
    slots: { total: 8, free: 8, queue: 8 },
    accepting: true,
    ...(direct ? { direct: { endpoint: 'http://127.0.0.1:9' } } : {}),
    running: [],
  }
}
