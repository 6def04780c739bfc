import { basename } from 'node:path'
import { ControlClient } from '../../host-agent/src/control/control-client.ts'
import { NANO_MODEL, HOST_PROGRAM } from './paths.ts'
import { Program } from './program.ts'

/** How a Host of a test differs from the usual. */
export interface HostSettings {
  /** Of several Orcs with commas between them, and so the tokens. */
  readonly orcUrl: string
  readonly stateDir: string
  readonly enrolmentToken?: string | undefined
  /** GGUF file, default: the bundled model; null: what was added to the state folder, and servers. */
  readonly modelPath?: string | null | undefined
  /** Name of the model for Consumers, default: that of the file. */
  readonly model?: string | undefined
  readonly slots?: number | undefined
  readonly queue?: number | undefined
  /** Further options of the command line. */
  readonly args?: readonly string[] | undefined
  readonly environment?: Readonly<Record<string, string>> | undefined
}

/** A record of the Host's log. */
export interface HostRecord {
  readonly event?: string
  readonly code?: string
  readonly hostId?: string
  readonly [field: string]: unknown
}

/** A `daisi-host run` process. */
export class Host extends Program {
  readonly stateDir: string
  /** Name of its model for Consumers. */
  readonly model: string

  constructor(settings: HostSettings) {
    const {
      orcUrl,
      stateDir,
      enrolmentToken,
      modelPath = NANO_MODEL,
      slots,
      queue,
      args: more = [],
    } = settings
    const model = settings.model ?? basename(modelPath ?? '', '.gguf')
    const args = ['run', '--orc', orcUrl, '--state', stateDir]
    if (modelPath !== null) args.push('--model', modelPath, '--model-id', model)
    if (slots !== undefined) args.push('--slots', String(slots))
    if (queue !== undefined) args.push('--queue', String(queue))
    args.push(...more)
    // One thread is enough for such models, and leaves the machine to the Orc and the test.
    args.push('--no-gpu', '--threads', '1', '--log-format', 'json', '--log-level', 'debug')
    const token = enrolmentToken === undefined ? {} : { DAISI_ENROLL_TOKEN: enrolmentToken }
    super(HOST_PROGRAM, args, { ...token, ...settings.environment })
    this.stateDir = stateDir
    this.model = model
  }

  /** What its owner's commands ask. */
  get control(): ControlClient {
    return new ControlClient(this.stateDir)
  }

  /** The log so far. */
  get records(): readonly HostRecord[] {
    return this.err.filter((line) => line.startsWith('{')).map((line): HostRecord => JSON.parse(line))
  }

  /** Its id. Known once it was online. */
  get hostId(): string {
    return this.#events('online')[0]?.hostId ?? ''
  }

  /** Resolves when the log has that many records of this event. Rejects if the process ends before. */
  async logged(event: string, times = 1): Promise<HostRecord> {
    await this.printed(() => this.#events(event).length >= times)
    return this.#events(event)[times - 1]!
  }

  /** Jobs that it took on since its start. */
  get jobs(): number {
    return this.records.filter(({ msg, ok }) => msg === 'job' && ok === true).length
  }

  /** Resolves when it has taken on that many jobs. */
  tookOn(jobs: number): Promise<void> {
    return this.printed(() => this.jobs >= jobs)
  }

  #events(event: string): readonly HostRecord[] {
    return this.records.filter((record) => record.event === event)
  }
}
