import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CatalogueEntry } from '@daisi/protocol'
import { agentConfig, readAgentConfig, writeAgentConfig } from '../../state/agent-config.ts'
import { ModelRegistry, type RegisteredModel } from '../../store/model-registry.ts'
import { ModelServer } from '../../store/testing/model-server.ts'
import { MODEL, sha256Of } from '../../store/testing/store-setup.ts'
import type { TestCertificate } from '../../testing/certificate.ts'
import { FakeOrc } from '../../testing/fake-orc.ts'
import { InstantClock } from '../../testing/instant-clock.ts'
import { RecordedOutput } from '../../testing/recorded-output.ts'
import { setUp } from '../set-up.ts'
import { type GivenAnswers, UnattendedAsker } from '../unattended-asker.ts'

/** The bundled model as an Orc recommends it. */
export const NANO: CatalogueEntry = {
  id: 'nano',
  aliases: ['tiny'],
  name: 'Daisi Nano',
  sha256: sha256Of(MODEL),
  sizeBytes: MODEL.length,
  url: 'hf:daisi/nano/daisi-nano.gguf',
  contextLength: 1_024,
  licence: 'Apache-2.0',
  kinds: ['chat'],
  capabilities: [],
  defaultSampling: { temperature: 0.5 },
}

/** A machine without anything, an Orc that recommends the bundled model, and a hub that has it. */
export class SetupBench implements AsyncDisposable {
  readonly orc: FakeOrc
  readonly hub: ModelServer
  readonly folder: string
  readonly output = new RecordedOutput()

  private constructor(orc: FakeOrc, hub: ModelServer, folder: string) {
    this.orc = orc
    this.hub = hub
    this.folder = folder
    orc.catalogue = [NANO]
  }

  static async start(certificate?: TestCertificate): Promise<SetupBench> {
    const folder = await mkdtemp(join(tmpdir(), 'daisi-setup-'))
    const orc = await FakeOrc.start(certificate === undefined ? {} : { certificate })
    const bench = new SetupBench(orc, await ModelServer.start(MODEL), folder)
    // Looking for a graphics card takes seconds.
    await writeAgentConfig(bench.stateFolder, agentConfig.parse({ gpu: false }))
    return bench
  }

  get stateFolder(): string {
    return join(this.folder, 'state')
  }

  get modelsFolder(): string {
    return join(this.folder, 'models')
  }

  /** What a process needs to find all of this. */
  get environment(): Record<string, string> {
    return { DAISI_STATE: this.stateFolder, DAISI_MODELS: this.modelsFolder, HF_ENDPOINT: this.hub.origin }
  }

  /** A setup that asks nothing. Enrols by the token of the Orc unless `given` says something else. */
  setUp(given: GivenAnswers = {}, signal = new AbortController().signal): Promise<void> {
    const { stateFolder, modelsFolder } = this
    const options = {
      stateFolder,
      modelsFolder,
      name: undefined,
      insecure: false,
      hub: { endpoint: this.hub.origin, token: undefined },
      usualServers: [],
      clock: new InstantClock(),
    }
    const answers = { orc: this.orc.url, token: this.orc.enrolmentToken, ...given }
    return setUp(options, new UnattendedAsker(answers, this.output), signal)
  }

  config() {
    return readAgentConfig(this.stateFolder)
  }

  models(): Promise<readonly RegisteredModel[]> {
    return new ModelRegistry(this.stateFolder).list()
  }

  /** Names in the folder of models. */
  files(): Promise<string[]> {
    return readdir(this.modelsFolder).catch(() => [])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.orc.close()
    await this.hub[Symbol.asyncDispose]()
    await rm(this.folder, { recursive: true, force: true })
  }
}
