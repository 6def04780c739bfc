import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SessionTokenClaims } from '@daisi/protocol'
import { type Logger, pino } from 'pino'
import type { Clock } from '../clock.ts'
import type { DirectLimits } from '../direct/direct-server.ts'
import { DirectService } from '../direct/direct-service.ts'
import type { ListenPlan } from '../direct/listen-plan.ts'
import { loadIdentity } from '../state/identity.ts'
import { OrcRecordFile } from '../state/orc-record.ts'
import { DirectConsumer } from './direct-consumer.ts'
import { type FakeConnection, FakeOrc } from './fake-orc.ts'
import { LinkSetup } from './link-setup.ts'
import { validClaims } from './token-signer.ts'

/** What a Consumer of the tests asks. A log line must never have it. */
export const PROMPT = 'a secret question'

export interface DirectSetupOptions {
  readonly orc?: FakeOrc
  readonly stateFolder?: string
  readonly plan?: ListenPlan
  readonly limits?: DirectLimits
  readonly clock?: Clock
  readonly slots?: number
  readonly queue?: number
  /** The Orc cannot be reached. */
  readonly offline?: boolean
}

type Parts = Pick<DirectSetup, 'orc' | 'service' | 'host' | 'consumer' | 'logLines' | 'stateFolder'>

/** A Host that offers Direct Connections, its Orc, and a Consumer with a key. */
export class DirectSetup implements AsyncDisposable {
  readonly orc: FakeOrc
  readonly service: DirectService
  readonly host: LinkSetup
  readonly consumer: DirectConsumer
  readonly logLines: string[]
  readonly stateFolder: string
  readonly #connection: FakeConnection | undefined
  #stopped = false

  private constructor(parts: Parts, connection: FakeConnection | undefined) {
    this.orc = parts.orc
    this.service = parts.service
    this.host = parts.host
    this.#connection = connection
    this.consumer = parts.consumer
    this.logLines = parts.logLines
    this.stateFolder = parts.stateFolder
  }

  /** Everything up, and the Orc has welcomed the Host, unless it shall do without. */
  static async start(options: DirectSetupOptions = {}): Promise<DirectSetup> {
    const { clock, slots, queue, limits } = options
    const orc = options.orc ?? (await FakeOrc.start())
    const stateFolder = options.stateFolder ?? (await mkdtemp(join(tmpdir(), 'daisi-direct-')))
    const logLines: string[] = []
    const logger: Logger = pino({ level: 'trace' }, { write: (line) => void logLines.push(line) })
    const identity = await loadIdentity(stateFolder)
    const record = await OrcRecordFile.open(stateFolder, orc.url)
    const plan = options.plan ?? {
      listen: { host: '127.0.0.1', port: 0 },
      url: undefined,
      protection: 'loopback',
    }
    const common = { plan, hostId: identity.hostId, stateFolder, orcUrls: [orc.url], logger }
    const service = await DirectService.open({ ...common, ...(limits && { limits }) })
    const online = Promise.withResolvers<void>()
    const host = await LinkSetup.start({
      orc,
      identity,
      record,
      logger,
      direct: service,
      random: () => 0,
      onOnline: () => online.resolve(),
      ...(clock && { clock }),
      ...(slots !== undefined && { slots }),
      ...(queue !== undefined && { queue }),
    })
    const connection = options.offline === true ? undefined : await orc.welcomed()
    if (connection !== undefined) await online.promise
    const consumer = await DirectConsumer.create()
    consumer.endpoint = service.offer.endpoint
    if (clock !== undefined) consumer.now = () => clock.now()
    return new DirectSetup({ orc, service, host, consumer, logLines, stateFolder }, connection)
  }

  /** The connection of the Host to the Orc. */
  get connection(): FakeConnection {
    if (this.#connection === undefined) throw new Error('the Host was started without its Orc')
    return this.#connection
  }

  get engine(): LinkSetup['engine'] {
    return this.host.engine
  }

  /** A Session token of mode `direct` for this Host, bound to the Consumer's key, with the given changes. */
  token(changes: Partial<SessionTokenClaims> = {}): Promise<string> {
    const { hostId } = this.host.identity
    return this.orc.signer.sign({
      ...validClaims(hostId, this.orc.issuer, this.consumer.now()),
      mode: 'direct',
      model: 'test-model',
      cnf: { jkt: this.consumer.thumbprint },
      ...changes,
    })
  }

  /** The body of a chat request. */
  body(changes: object = {}): string {
    const messages = [{ role: 'user', content: PROMPT }]
    return JSON.stringify({ model: 'test-model', messages, stream: true, max_tokens: 50, ...changes })
  }

  /** Ends Host and listener, and leaves Orc and state folder as they are. */
  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    this.host.link.stop()
    await this.host.ended
    await this.service.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    await this.host[Symbol.asyncDispose]()
    await rm(this.stateFolder, { recursive: true, force: true })
  }
}
