import { type Down, HOST_CONNECT_PATH, type Welcome } from '@daisi/protocol'
import { type Clock, sleep } from '../clock.ts'
import { FatalError } from '../exit-codes.ts'
import type { DirectService } from '../direct/direct-service.ts'
import type { JobOutlet } from '../jobs/orc-delivery.ts'
import type { Workbench } from '../jobs/workbench.ts'
import type { Logger } from '../log.ts'
import type { RemoteModels } from '../models/remote-models.ts'
import type { OwnerWishes } from '../policy/owner-wishes.ts'
import type { Identity } from '../state/identity.ts'
import type { OrcRecord, OrcRecordFile } from '../state/orc-record.ts'
import { JwksSource } from '../tokens/jwks-source.ts'
import { Backoff } from '../backoff.ts'
import { AnnouncedWishes } from './announced-wishes.ts'
import type { CertificatePin } from '../certificate-pin.ts'
import { Conversation, type ConversationHandler, type Ending } from './conversation.ts'
import type { IssuerBook } from './issuer-book.ts'
import { type LinkEvent, type LinkState, nextLinkState } from './link-state.ts'
import type { LinkStatus } from './link-status.ts'
import { OrcClock } from './orc-clock.ts'
import { OrcEntry } from './orc-entry.ts'
import {
  describeFailure,
  finalCloseError,
  isRefusalStatus,
  mistakenIdentity,
  notEnrolled,
} from './orc-failures.ts'
import { OrcHttp, OrcHttpError } from './orc-http.ts'
import { OrcNotices } from './orc-notices.ts'
import { OrcPresence } from './orc-presence.ts'
import { OrcTransport } from './orc-transport.ts'
import { openSocket, UpgradeRefused } from './socket.ts'

/** The upgrade has this long. */
const OPEN_TIMEOUT_MS = 10_000

/** A connection that lived this long makes the next wait short again. */
const STABLE_MS = 10_000

/** A peer that does not answer the closing handshake in this time is dropped. */
const CLOSE_TIMEOUT_MS = 1_000

/** One refusal may be a nonce that a restarting Orc forgot; two in a row are meant. */
const REFUSALS_BELIEVED = 2

/** From this wait on the failure is worth a warning. */
const WARN_DELAY_MS = 5_000

export interface OrcLinkOptions {
  /** The Orc's address, without a slash at its end. */
  readonly url: string
  /** The only certificate that the Orc may show; undefined: one that the usual authorities vouch for. */
  readonly pin: CertificatePin | undefined
  /** Shared by all Orcs of the agent. */
  readonly issuers: IssuerBook
  readonly identity: Identity
  readonly record: OrcRecordFile
  readonly workbench: Workbench
  readonly owner: OwnerWishes
  readonly keeper: RemoteModels
  /** This Host's own address, if it offers Direct Connections. Shared by all Orcs of the agent. */
  readonly direct?: DirectService | undefined
  readonly clock: Clock
  readonly random: () => number
  readonly logger: Logger
  readonly name: string | undefined
  readonly enrolmentToken: string | undefined
  /** Called at each `welcome`. */
  readonly onOnline: (welcome: Welcome) => void
}

/**
 * The connection to one Orc, for as long as the agent runs: connects, and connects again (C7). An agent may have several;
 * they share one workbench.
 */
export class OrcLink implements ConversationHandler {
  readonly #options: OrcLinkOptions
  readonly #transport: OrcTransport
  readonly #http: OrcHttp
  readonly #entry: OrcEntry
  readonly #jwks: JwksSource
  readonly #presence: OrcPresence
  readonly #backoff: Backoff
  readonly #wishes: AnnouncedWishes
  readonly #notices: OrcNotices
  readonly #stop = new AbortController()
  #state: LinkState = 'idle'
  #conversation: Conversation | undefined
  #fatal: FatalError | undefined
  #welcomedAt: number | undefined
  #refusals = 0
  #problem: string | undefined

  constructor(options: OrcLinkOptions) {
    const { record, clock } = options
    this.#options = options
    this.#transport = new OrcTransport(options.url, options.pin)
    const http = new OrcHttp(this.#transport)
    const orcClock = new OrcClock(clock, () => http.clockSkewMs)
    this.#http = http
    this.#entry = new OrcEntry({ ...options, http, clock: orcClock })
    this.#jwks = new JwksSource({
      clock,
      fetchKeys: () => http.keys(this.#stop.signal),
      stored: record.value.jwks,
      store: (jwks) => this.#remember({ jwks }),
    })
    this.#presence = new OrcPresence({ direct: undefined, ...options, clock: orcClock, jwks: this.#jwks })
    this.#backoff = new Backoff(options.random)
    this.#wishes = new AnnouncedWishes(options.owner)
    this.#notices = new OrcNotices(options.url, options.logger)
  }

  get status(): LinkStatus {
    const { url, record } = this.#options
    const { networks, reason } = this.#presence
    const { alias } = record.value
    const problem = this.#state === 'online' ? undefined : this.#problem
    return { url, state: this.#state, alias, networks, reason, problem, update: this.#notices.update }
  }

  /** Stays connected until `stop`. Throws a `FatalError` when the Orc must not be asked again. */
  async run(): Promise<void> {
    const { clock, logger, owner, record, url } = this.#options
    const { signal } = this.#stop
    const unsubscribe = owner.onChange(() => this.#wishesChanged())
    try {
      while (!signal.aborted) {
        this.#move('attempt')
        this.#welcomedAt = undefined
        const problem = await this.#attempt()
        if (signal.aborted) break
        this.#problem = problem
        if (this.#wasStable()) this.#backoff.reset()
        const delayMs = this.#backoff.next()
        this.#move('lost')
        const level = delayMs < WARN_DELAY_MS ? 'info' : 'warn'
        logger[level](
          { event: 'offline', orc: url, problem, delayMs },
          'not connected to the Orc; trying again',
        )
        await sleep(clock, delayMs, signal)
      }
    } finally {
      unsubscribe()
      this.#move('stop')
      this.#stop.abort()
      this.#presence.abandon()
      await this.#jwks.settled()
      await record.settled()
      await this.#transport.close()
    }
  }

  /** Takes nothing new until `resume`, and stays connected. */
  holdBack(): void {
    this.#presence.holdBack()
  }

  /** Takes work again, also after a pause that came from this Orc. */
  resume(): Promise<void> {
    return this.#presence.resume()
  }

  /** Takes nothing new, lets running jobs end, and cancels those that still run when the deadline is aborted. */
  drain(deadline: AbortSignal): Promise<void> {
    return this.#presence.drain(deadline)
  }

  /** Closes the connection and ends `run`. */
  stop(): void {
    this.#conversation?.close(1000, 'stopped')
    this.#stop.abort()
  }

  onWelcome(welcome: Welcome, outlet: JobOutlet): void {
    const { identity, url, onOnline } = this.#options
    const { issuer, alias, networks } = welcome
    if (welcome.hostId !== identity.hostId) return this.#giveUp(mistakenIdentity(url))
    const problem = this.#entry.judgeIssuer(issuer)
    if (problem !== undefined) return this.#giveUp(problem)
    const outdated = this.#notices.version(welcome.agent)
    if (outdated !== undefined) return this.#giveUp(outdated)
    this.#notices.clock(this.#http.clockSkewMs)
    this.#move('welcomed')
    this.#welcomedAt = this.#options.clock.now()
    this.#presence.online(welcome, outlet)
    void this.#jwks.refresh()
    void this.#remember({ issuer, alias, networks, enrolled: true })
    onOnline(welcome)
  }

  onMessage(message: Exclude<Down, Welcome>, outlet: JobOutlet): void {
    this.#presence.receive(message, outlet)
  }

  /** One connection, from discovery to its end. Returns why it ended; throws what is final. */
  async #attempt(): Promise<string> {
    const { signal } = this.#stop
    try {
      await this.#transport.checkPin(signal)
      const proof = await this.#entry.prepare(signal)
      this.#move('prepared')
      return this.#judge(await this.#converse(proof))
    } catch (error) {
      if (error instanceof FatalError) throw error
      return await this.#judgeFailure(error)
    } finally {
      this.#presence.offline()
      this.#conversation = undefined
    }
  }

  async #converse(proof: string): Promise<Ending> {
    const { clock, url } = this.#options
    const { signal } = this.#stop
    const socket = await openSocket(
      url.replace(/^http/, 'ws') + HOST_CONNECT_PATH,
      proof,
      await this.#transport.tlsTrust(signal),
      OPEN_TIMEOUT_MS,
      signal,
    )
    this.#move('opened')
    this.#refusals = 0
    this.#conversation = new Conversation(socket, this, clock)
    let cancelTimer: (() => void) | undefined
    const onStop = (): void => {
      cancelTimer = clock.after(CLOSE_TIMEOUT_MS, () => socket.terminate())
    }
    signal.addEventListener('abort', onStop, { once: true })
    try {
      this.#wishes.announce()
      return await this.#conversation.run(this.#presence.hello())
    } finally {
      signal.removeEventListener('abort', onStop)
      cancelTimer?.()
    }
  }

  #wasStable(): boolean {
    return this.#welcomedAt !== undefined && this.#options.clock.now() - this.#welcomedAt >= STABLE_MS
  }

  #judge(ending: Ending): string {
    const error = this.#fatal ?? finalCloseError(this.#options.url, ending)
    if (error !== undefined) throw error
    return `closed with ${ending.code}${ending.reason === '' ? '' : ` ${ending.reason}`}`
  }

  /** A refused upgrade is final the second time, unless there is a token to enrol again. */
  async #judgeFailure(error: unknown): Promise<string> {
    const status = error instanceof UpgradeRefused || error instanceof OrcHttpError ? error.status : 0
    if (isRefusalStatus(status)) {
      this.#refusals++
      if (this.#refusals >= REFUSALS_BELIEVED && !(await this.#entry.enrolAgain()))
        throw notEnrolled(this.#options.url, status)
    }
    return describeFailure(error)
  }

  /** Stores what can be asked again: a full disk must not end the connection. */
  async #remember(change: Partial<OrcRecord>): Promise<void> {
    const { logger, record } = this.#options
    await record.update(change).catch((error: unknown) => {
      logger.error({ err: error }, 'what the Orc said could not be stored')
    })
  }

  /** The Host obeys at once; the Orc hears of it in a new `hello`, when nothing runs that this would end. */
  #wishesChanged(): void {
    const conversation = this.#conversation
    if (conversation === undefined || !this.#wishes.areOutdated) return
    const greetAgain = (): void => {
      if (this.#wishes.areOutdated) conversation.close(1000, 'settings_changed')
    }
    void this.#presence.idle().then(greetAgain)
  }

  #giveUp(error: FatalError): void {
    this.#fatal = error
    this.#conversation?.close(1000, error.code)
  }

  #move(event: LinkEvent): void {
    this.#state = nextLinkState(this.#state, event)
  }
}
