import {
  type Accepted,
  type AnswerDelta,
  type Frame,
  INITIAL_WINDOW_BYTES,
  type JobEnd,
  type Refused,
  type Run,
  decodeFrame,
  decodeUp,
  encodeDown,
} from '@daisi/protocol'
import { jobDeadlineMs } from '../domain/deadlines.ts'
import type { RelayRequest } from '../objects/host/attachments.ts'
import { RELAY_REQUEST_HEADER } from '../objects/host/headers.ts'
import { hostStub } from '../objects/stubs.ts'

/** What comes back over a relay. After `end`, `refused` or `lost` nothing more comes. */
export type RelayEvent =
  | { readonly type: 'accepted'; readonly accepted: Accepted }
  | { readonly type: 'refused'; readonly refused: Refused }
  | AnswerDelta
  | { readonly type: 'result'; readonly text: string; readonly last: boolean }
  | { readonly type: 'end'; readonly end: JobEnd }
  | { readonly type: 'lost' }
  | { readonly type: 'silent' }

/** The Worker grants the Host more once this much was handed on (rule F5). */
const GRANT_BYTES = INITIAL_WINDOW_BYTES / 2

interface Entry {
  readonly event: RelayEvent
  readonly bytes: number
  readonly sequence: number
}

/**
 * The Worker's end of one Job: a WebSocket to the HostConnection, read as a sequence of events. At most one credit
 * window of frames waits here, however slow the reader is.
 */
export class Relay {
  readonly #socket: WebSocket
  readonly #jobId: string
  readonly #waiting: Entry[] = []
  #wake: (() => void) | undefined
  #closed = false
  readonly #deadline: ReturnType<typeof setTimeout>
  #drainedBytes = 0

  private constructor(socket: WebSocket, jobId: string, deadlineMs: number) {
    this.#socket = socket
    this.#jobId = jobId
    // Also where nobody reads on: no Job goes on for ever.
    this.#deadline = setTimeout(() => this.close(), deadlineMs)
    socket.binaryType = 'arraybuffer'
    socket.addEventListener('message', ({ data }) => this.#receive(data))
    socket.addEventListener('close', () => this.#push({ type: 'lost' }))
    socket.addEventListener('error', () => this.#push({ type: 'lost' }))
    socket.accept()
  }

  /** Opens a relay to a Host and sends it the Job. Undefined if the Host is not there. */
  static async open(env: Env, hostId: string, request: RelayRequest, run: Run): Promise<Relay | undefined> {
    const headers = { upgrade: 'websocket', [RELAY_REQUEST_HEADER]: JSON.stringify(request) }
    const response = await hostStub(env, hostId).fetch('https://host/relay', { headers })
    if (response.webSocket === null) return undefined
    const relay = new Relay(response.webSocket, run.jobId, jobDeadlineMs(request.maxTokens))
    response.webSocket.send(encodeDown(run))
    return relay
  }

  /** The next event, or `silent` if none comes in time. One reader at a time. */
  async next(timeoutMs: number): Promise<RelayEvent> {
    if (this.#waiting.length === 0) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#wake = resolve
      const timer = setTimeout(resolve, timeoutMs)
      await promise
      clearTimeout(timer)
      this.#wake = undefined
    }
    const entry = this.#waiting.shift()
    if (entry === undefined) return { type: 'silent' }
    if (entry.bytes > 0) this.#grant(entry)
    return entry.event
  }

  /** Lets go of the Job. If it was not over, the Host is told to stop. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#deadline)
    this.#socket.close(1000, 'done')
    this.#push({ type: 'lost' })
  }

  #receive(data: string | ArrayBuffer): void {
    if (typeof data === 'string') {
      const decoded = decodeUp(data)
      if (decoded.kind !== 'message') return
      const { message } = decoded
      if (message.type === 'accepted') this.#push({ type: 'accepted', accepted: message })
      if (message.type === 'refused') this.#push({ type: 'refused', refused: message })
      if (message.type === 'job-end') this.#push({ type: 'end', end: message })
      return
    }
    const frame = decodeFrame(data)
    if (frame === undefined) return this.#push({ type: 'lost' })
    this.#push(eventOf(frame), data.byteLength, frame.sequence)
  }

  #push(event: RelayEvent, bytes = 0, sequence = 0): void {
    this.#waiting.push({ event, bytes, sequence })
    this.#wake?.()
  }

  #grant({ bytes, sequence }: Entry): void {
    this.#drainedBytes += bytes
    if (this.#drainedBytes < GRANT_BYTES || this.#closed) return
    const credit = {
      type: 'credit',
      jobId: this.#jobId,
      bytes: this.#drainedBytes,
      ackedSequence: sequence,
    } as const
    this.#socket.send(encodeDown(credit))
    this.#drainedBytes = 0
  }
}

function eventOf(frame: Frame): RelayEvent {
  const { text } = frame
  if (frame.kind === 'result') return { type: 'result', text, last: frame.last }
  const { logprobs } = frame
  const parts = frame.kind === 'parts' ? frame.parts : [{ type: 'text' as const, text }]
  return { type: 'delta', parts, ...(logprobs === undefined ? {} : { logprobs }) }
}
