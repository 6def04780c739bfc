import { PING_DEADLINE_MS } from '@daisi/protocol'
import { type HostSocket, type RelaySocket, readAttachment } from './attachments.ts'

const HOST_TAG = 'host'

/** A socket and what it is. */
export interface Tagged<Kind> {
  readonly socket: WebSocket
  readonly attachment: Kind
}

/** The sockets of one HostConnection, found by tag so that nothing has to be remembered over sleep. */
export class Sockets {
  readonly #state: DurableObjectState
  constructor(state: DurableObjectState) {
    this.#state = state
  }

  acceptHost(socket: WebSocket): void {
    this.#state.acceptWebSocket(socket, [HOST_TAG])
  }
  acceptRelay(socket: WebSocket, jobId: string): void {
    this.#state.acceptWebSocket(socket, [jobId])
  }

  /** Every connection that claims to be the Host, older ones included. */
  hosts(): Tagged<HostSocket>[] {
    return this.#state.getWebSockets(HOST_TAG).flatMap((socket) => {
      const attachment = readAttachment(socket)
      return attachment?.kind === 'host' && socket.readyState === WebSocket.OPEN
        ? [{ socket, attachment }]
        : []
    })
  }
  /** The Host, if it is connected, greeted and was heard of lately (rule H8). */
  liveHost(now: number): Tagged<HostSocket> | undefined {
    const host = this.hosts().find(({ attachment }) => attachment.greeted)
    if (host === undefined) return undefined
    const heardAt =
      this.#state.getWebSocketAutoResponseTimestamp(host.socket)?.getTime() ?? host.attachment.connectedAt
    return now - Math.max(heardAt, host.attachment.connectedAt) <= PING_DEADLINE_MS ? host : undefined
  }

  /** The Worker's end of a Job. */
  relay(jobId: string): Tagged<RelaySocket> | undefined {
    for (const socket of this.#state.getWebSockets(jobId)) {
      const attachment = readAttachment(socket)
      if (attachment?.kind === 'relay' && socket.readyState === WebSocket.OPEN) return { socket, attachment }
    }
    return undefined
  }
  /** The Worker's end of a Job that runs through this very connection and is not over. */
  ownRelay(host: HostSocket, jobId: string): Tagged<RelaySocket> | undefined {
    const relay = this.relay(jobId)
    const own =
      relay !== undefined &&
      !relay.attachment.ended &&
      relay.attachment.job.connectionId === host.connectionId
    return own ? relay : undefined
  }
  /** All Jobs that run through one connection of the Host. */
  relaysOf(connectionId: string): Tagged<RelaySocket>[] {
    return this.#state.getWebSockets().flatMap((socket) => {
      const attachment = readAttachment(socket)
      return attachment?.kind === 'relay' && attachment.job.connectionId === connectionId
        ? [{ socket, attachment }]
        : []
    })
  }
}
