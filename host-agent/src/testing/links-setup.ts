import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { pino } from 'pino'
import { type Clock, systemClock } from '../clock.ts'
import { IssuerBook } from '../connection/issuer-book.ts'
import { OrcLinks, type OrcTarget, recallOrcs } from '../connection/orc-links.ts'
import { type Identity, loadIdentity } from '../state/identity.ts'
import { FakeOrc } from './fake-orc.ts'
import { NO_KEEPER } from './link-setup.ts'
import { ScriptedEngine } from './scripted-engine.ts'
import { testWorkbench } from './test-workbench.ts'
import { WillingOwner } from './willing-owner.ts'

/** One agent that serves two fake Orcs, with a scripted engine. */
export class LinksSetup implements AsyncDisposable {
  readonly first: FakeOrc
  readonly second: FakeOrc
  readonly engine: ScriptedEngine
  readonly identity: Identity
  readonly links: OrcLinks
  /** Log records, in order. */
  readonly log: Record<string, unknown>[]
  /** Addresses, at each `welcome`. */
  readonly online: string[]
  /** Settles when `run` does, with its error. */
  readonly ended: Promise<unknown>
  readonly #stateFolder: string

  private constructor(setup: Omit<LinksSetup, 'ended' | typeof Symbol.asyncDispose>, stateFolder: string) {
    this.first = setup.first
    this.second = setup.second
    this.engine = setup.engine
    this.identity = setup.identity
    this.links = setup.links
    this.log = setup.log
    this.online = setup.online
    this.#stateFolder = stateFolder
    this.ended = this.links.run().then(
      () => undefined,
      (error: unknown) => error,
    )
  }

  static async start(
    options: {
      readonly secondTarget?: Partial<OrcTarget>
      readonly slots?: number
      readonly clock?: Clock
      /** The second Orc's name for itself. */
      readonly secondIssuer?: string
    } = {},
  ): Promise<LinksSetup> {
    const first = await FakeOrc.start({ issuer: 'https://first.test' })
    const second = await FakeOrc.start({ issuer: options.secondIssuer ?? 'https://second.test' })
    const engine = new ScriptedEngine(options.slots ?? 2)
    const stateFolder = await mkdtemp(join(tmpdir(), 'daisi-host-'))
    const identity = await loadIdentity(stateFolder)
    const target = { pin: undefined, enrolmentToken: first.enrolmentToken }
    const orcs = await recallOrcs(
      [
        { ...target, url: first.url },
        { ...target, url: second.url, ...options.secondTarget },
      ],
      stateFolder,
    )
    const log: Record<string, unknown>[] = []
    const online: string[] = []
    const links = new OrcLinks(orcs, {
      identity,
      issuers: new IssuerBook(stateFolder),
      workbench: await testWorkbench(engine),
      owner: new WillingOwner(),
      keeper: NO_KEEPER,
      clock: options.clock ?? systemClock,
      random: () => 0,
      logger: pino({ level: 'info' }, recordInto(log)),
      name: undefined,
      onOnline: (_, url) => online.push(url),
    })
    return new LinksSetup({ first, second, engine, identity, links, log, online }, stateFolder)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.links.stop()
    await Promise.all([this.first.close(), this.second.close()])
    await this.ended
    await rm(this.#stateFolder, { recursive: true, force: true })
  }
}

function recordInto(log: Record<string, unknown>[]): Writable {
  return new Writable({
    write(chunk, _, done) {
      log.push(JSON.parse(String(chunk)) as Record<string, unknown>)
      done()
    },
  })
}
