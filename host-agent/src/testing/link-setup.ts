import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../clock.ts'
import { IssuerBook } from '../connection/issuer-book.ts'
import { OrcLink, type OrcLinkOptions } from '../connection/orc-link.ts'
import { createLogger } from '../log.ts'
import { type Identity, loadIdentity } from '../state/identity.ts'
import { OrcRecordFile } from '../state/orc-record.ts'
import { FakeOrc } from './fake-orc.ts'
import { ScriptedEngine } from './scripted-engine.ts'
import { testWorkbench } from './test-workbench.ts'
import { WillingOwner } from './willing-owner.ts'

/** A Host whose models do not change. */
export const NO_KEEPER = {
  beginAddFromCatalogue: (): Promise<never> => Promise.reject(new Error('this Host adds no models')),
  remove: (): Promise<never> => Promise.reject(new Error('this Host removes no models')),
}

/** An agent's link against a fake Orc, with a scripted engine. */
export class LinkSetup implements AsyncDisposable {
  readonly orc: FakeOrc
  readonly engine: ScriptedEngine
  readonly identity: Identity
  readonly link: OrcLink
  readonly record: OrcRecordFile
  readonly stateFolder: string
  /** Settles when the link's `run` does. */
  readonly ended: Promise<unknown>

  private constructor(setup: Omit<LinkSetup, 'ended' | typeof Symbol.asyncDispose>) {
    this.orc = setup.orc
    this.engine = setup.engine
    this.identity = setup.identity
    this.link = setup.link
    this.record = setup.record
    this.stateFolder = setup.stateFolder
    this.ended = this.link.run().then(
      () => undefined,
      (error: unknown) => error,
    )
  }

  static async start(
    changes: Partial<OrcLinkOptions> & { orc?: FakeOrc; slots?: number; queue?: number } = {},
  ): Promise<LinkSetup> {
    const orc = changes.orc ?? (await FakeOrc.start())
    const engine = new ScriptedEngine(changes.slots)
    const stateFolder = await mkdtemp(join(tmpdir(), 'daisi-host-'))
    const identity = changes.identity ?? (await loadIdentity(stateFolder))
    const record = changes.record ?? (await OrcRecordFile.open(stateFolder, orc.url))
    const workbench = await testWorkbench(engine, changes.queue)
    const link = new OrcLink({
      url: orc.url,
      pin: undefined,
      issuers: new IssuerBook(stateFolder),
      clock: systemClock,
      random: () => 0,
      logger: createLogger('silent', 'json'),
      name: 'test host',
      enrolmentToken: orc.enrolmentToken,
      workbench,
      owner: new WillingOwner(),
      keeper: NO_KEEPER,
      onOnline: () => {},
      ...changes,
      identity,
      record,
    })
    return new LinkSetup({ orc, engine, identity, link, record, stateFolder })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.link.stop()
    await this.orc.close()
    await this.ended
    await rm(this.stateFolder, { recursive: true, force: true })
  }
}
