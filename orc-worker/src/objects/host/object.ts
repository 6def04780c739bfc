import { DurableObject } from 'cloudflare:workers'
import {
  CloseCode,
  type CommandView,
  type DirectOffer,
  HOST_SUBPROTOCOL,
  MAX_FRAME_BYTES,
  encodeDown,
} from '@daisi/protocol'
import type { ServedNetwork } from '../../db/host-networks.ts'
import { newId } from '../../domain/ids.ts'
import { parseRateLimits } from '../../domain/rate-limits.ts'
import { Alarm } from '../alarm.ts'
import {
  HOST_GENERATION_HEADER,
  HOST_IDENTITY_HEADER,
  HOST_NONCE_HEADER,
  RELAY_REQUEST_HEADER,
} from './headers.ts'
import {
  type HostSocket,
  hostIdentity,
  readAttachment,
  relayRequest,
  writeAttachment,
} from './attachments.ts'
import type { HostContext } from './context.ts'
import { type CommandOrder, CommandQueue, type QueuedCommand } from './command-queue.ts'
import { grantDirect, revokeDirect } from './direct.ts'
import { type HostDirectToken, HostDirectTokens } from './host-direct-tokens.ts'
import { HostReport, type HostWords } from './host-report.ts'
import { SightingOutbox } from './sighting-outbox.ts'
import { handleFrame } from './frames.ts'
import { Holds } from './holds.ts'
import { MessageLimits } from './message-limits.ts'
import { handleHostText } from './host-messages.ts'
import { endHostConnection, tendCheckpoints } from './lifecycle.ts'
import { handleRelayClose, handleRelayText, openRelay } from './relay.ts'
import { changeNetworks, reconnect, renewIdle } from './renewal.ts'
import { Reporter } from './reporter.ts'
import { Sockets, type Tagged } from './sockets.ts'
import { HostStorage } from './storage.ts'

/** A Host must say `hello` within this time (rule H1). */
const HELLO_DEADLINE_MS = 10_000

/** Close codes that the runtime reports and nobody may send (RFC 6455 §7.4.1). */
const NO_STATUS = 1005
const ABNORMAL_CLOSE = 1006

/**
 * One Host: its socket, its queue of commands, and the meters of the Jobs that run through it. Both ends of every stream
 * are hibernatable, so the object may sleep between two frames; everything it needs is in attachments and storage.
 */
export class HostConnection extends DurableObject<Env> {
  readonly #context: HostContext

  constructor(state: DurableObjectState, env: Env) {
    super(state, env)
    const storage = new HostStorage(state.storage, state.id.name ?? '')
    const alarm = new Alarm(state.storage)
    const outbox = new SightingOutbox(env, storage, alarm)
    this.#context = {
      env,
      sockets: new Sockets(state),
      storage,
      direct: new HostDirectTokens(state.storage.sql),
      commands: new CommandQueue(state.storage),
      report: new HostReport(state.storage.sql),
      limits: new MessageLimits(parseRateLimits(env.RATE_LIMITS)),
      alarm,
      reporter: new Reporter(env, storage, alarm, outbox),
      outbox,
      holds: new Holds(env),
      weighing: new Set(),
    }
    state.setWebSocketAutoResponse(new WebSocketRequestResponsePair('ping', 'pong'))
  }

  /** Upgrades only: the Host's own connection, or a Worker's relay for one Job. The Worker has authenticated both. */
  override async fetch(request: Request): Promise<Response> {
    const identity = request.headers.get(HOST_IDENTITY_HEADER)
    if (identity !== null) return this.#connect(identity, request.headers)
    return openRelay(
      relayRequest.parse(JSON.parse(request.headers.get(RELAY_REQUEST_HEADER) ?? '')),
      this.#context,
    )
  }

  /**
   * Queues a command and sends it at once if the Host is here (rule Q1). `generation` is that of the Host's rights, read before it was
   * looked up whose Host it is: `changed` if it may be another's by now. `full`: too many wait.
   */
  async enqueue(order: CommandOrder, generation: number): Promise<QueuedCommand | 'changed' | 'full'> {
    const { storage, commands, sockets } = this.#context
    if (generation !== storage.rightsGeneration()) return 'changed'
    const command = commands.add({ commandId: newId('cmd'), ...order })
    if (command === undefined) return 'full'
    const host = sockets.liveHost(Date.now())
    host?.socket.send(encodeDown(command))
    return { commandId: command.commandId, delivered: host !== undefined }
  }

  /** What the Host said of itself, and what became of its owner's commands. */
  async describe(): Promise<{ online: boolean; words: HostWords; commands: CommandView[] }> {
    const { report, commands } = this.#context
    return { online: await this.isOnline(), words: report.read(), commands: commands.views() }
  }

  /** True if the Host is connected. */
  async isOnline(): Promise<boolean> {
    return this.#context.sockets.liveHost(Date.now()) !== undefined
  }

  /** A Consumer may connect to this Host directly (rule D1). Undefined if it is not there or offers no Direct Connections. */
  async grantDirect(token: HostDirectToken): Promise<DirectOffer | undefined> {
    return grantDirect(token, this.#context)
  }

  /** These tokens are good for nothing new any more (rule D9). */
  async revokeDirect(tokenIds: readonly string[]): Promise<void> {
    revokeDirect(tokenIds, this.#context)
  }

  /** Changes with all that this Host may do. Who lets it connect asks for it first, and reads what it may do afterwards. */
  async rightsGeneration(): Promise<number> {
    return this.#context.storage.rightsGeneration()
  }

  /** The Networks that this Host may serve have changed. */
  async changeNetworks(networks: readonly ServedNetwork[]): Promise<void> {
    await changeNetworks(networks, this.#context)
  }

  /** It has another owner: it connects again, and what runs ends. What the one before asked for is not done any more. */
  async changeOwner(): Promise<void> {
    this.#context.commands.clear()
    this.#context.report.clear()
    await reconnect(this.#context)
  }

  /** The owner removed the Host: its connections end at once and may not come back (rule C4). */
  async remove(): Promise<void> {
    this.#context.storage.raiseRightsGeneration()
    this.#context.storage.markRemoved()
    for (const { socket, attachment } of this.#context.sockets.hosts()) {
      await this.#dismiss({ socket, attachment }, CloseCode.Revoked, 'this host was removed by its owner')
    }
  }

  override async webSocketMessage(socket: WebSocket, data: string | ArrayBuffer): Promise<void> {
    const attachment = readAttachment(socket)
    if (attachment?.kind === 'relay') {
      if (typeof data !== 'string') return
      return handleRelayText({ socket, attachment }, data, this.#hostOf(attachment.job.connectionId))
    }
    // What a dismissed connection still says must not pass for its successor's word.
    if (attachment?.dismissed === true) return
    if (attachment === undefined) return socket.close(CloseCode.BadMessage, 'unknown socket')
    const limit = typeof data === 'string' ? 'host_messages' : 'host_frames'
    const tooMany = (): Promise<void> =>
      this.#dismiss({ socket, attachment }, CloseCode.TooManyMessages, 'too many messages')
    if (this.#context.limits.exceeds(limit, Date.now())) return tooMany()
    if (typeof data === 'string') {
      if ((await handleHostText({ socket, attachment }, data, this.#context)) === 'too-many') await tooMany()
      return
    }
    if (data.byteLength > MAX_FRAME_BYTES)
      return socket.close(CloseCode.TooLarge, `frames have at most ${MAX_FRAME_BYTES} bytes`)
    return handleFrame({ socket, attachment }, data, this.#context)
  }

  override async webSocketClose(socket: WebSocket, code = ABNORMAL_CLOSE): Promise<void> {
    const attachment = readAttachment(socket)
    // Answering the close lets the other side go at once. The two codes that stand for "none was sent" cannot be sent.
    socket.close(code === NO_STATUS || code === ABNORMAL_CLOSE ? 1000 : code)
    if (attachment?.kind === 'relay')
      await handleRelayClose(attachment, this.#hostOf(attachment.job.connectionId), this.#context)
    if (attachment?.kind === 'host') await endHostConnection(attachment, this.#context)
  }

  override async webSocketError(socket: WebSocket): Promise<void> {
    await this.webSocketClose(socket)
  }

  override async alarm(): Promise<void> {
    const { alarm, sockets, reporter, outbox } = this.#context
    alarm.fired()
    const now = Date.now()
    for (const { socket, attachment } of sockets.hosts()) {
      if (attachment.greeted) continue
      if (now - attachment.connectedAt >= HELLO_DEADLINE_MS)
        socket.close(CloseCode.Timeout, 'hello did not come in time')
      else await alarm.at(attachment.connectedAt + HELLO_DEADLINE_MS)
    }
    await renewIdle(this.#context, now)
    await tendCheckpoints(this.#context, now)
    await reporter.report()
    await outbox.flush()
  }

  async #connect(identityJson: string, headers: Headers): Promise<Response> {
    const identity = hostIdentity.parse(JSON.parse(identityJson))
    const now = Date.now()
    const { storage } = this.#context
    // The Worker may have read the Host's row before it was marked as removed, or its rights before they changed.
    if (storage.isRemoved()) return new Response(null, { status: 401 })
    if (headers.get(HOST_GENERATION_HEADER) !== String(storage.rightsGeneration()))
      return new Response(null, { status: 503 })
    if (!storage.useNonce(headers.get(HOST_NONCE_HEADER) ?? '', now))
      return new Response(null, { status: 401 })
    const { 0: client, 1: server } = new WebSocketPair()
    const older = this.#context.sockets.hosts()
    this.#context.sockets.acceptHost(server)
    writeAttachment(server, {
      kind: 'host',
      connectionId: crypto.randomUUID(),
      identity,
      helloSeen: false,
      greeted: false,
      dismissed: false,
      renewing: false,
      connectedAt: now,
      claimedSlots: 0,
      untaken: 0,
    })
    for (const { socket, attachment } of older) {
      await this.#dismiss(
        { socket, attachment },
        CloseCode.Superseded,
        'another connection with the same key took over',
      )
    }
    await this.#context.alarm.at(now + HELLO_DEADLINE_MS)
    return new Response(null, {
      status: 101,
      webSocket: client,
      headers: { 'sec-websocket-protocol': HOST_SUBPROTOCOL },
    })
  }

  async #dismiss({ socket, attachment }: Tagged<HostSocket>, code: number, reason: string): Promise<void> {
    writeAttachment(socket, { ...attachment, dismissed: true })
    socket.close(code, reason)
    await endHostConnection(attachment, this.#context)
  }

  #hostOf(connectionId: string): Tagged<HostSocket> | undefined {
    return this.#context.sockets.hosts().find(({ attachment }) => attachment.connectionId === connectionId)
  }
}
