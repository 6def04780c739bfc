import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FakeOrc } from '../../../host-agent/src/testing/fake-orc.ts'
import { type Helper, startHelper } from '../child.ts'
import { LabHost, type LabHostOptions } from './lab-host.ts'

/** A place for the processes of one table. What is started in it ends with it, whatever happens. */
export class Lab implements AsyncDisposable {
  readonly #resources = new AsyncDisposableStack()
  #folders = 0
  readonly #root: string

  private constructor(root: string) {
    this.#root = root
    const remove = (): void => rmSync(root, { recursive: true, force: true, maxRetries: 3 })
    // A run that is interrupted ends with `exit` and nothing else.
    process.once('exit', remove)
    this.#resources.defer(() => {
      process.off('exit', remove)
      remove()
    })
  }

  static async open(): Promise<Lab> {
    return new Lab(await mkdtemp(join(tmpdir(), 'daisi-bench-')))
  }

  /** A folder that does not exist yet. */
  folder(): string {
    this.#folders++
    return join(this.#root, String(this.#folders))
  }

  async orc(): Promise<FakeOrc> {
    const orc = await FakeOrc.start()
    this.#resources.defer(() => orc.close())
    return orc
  }

  /** A Host with an Orc of its own. */
  async host(options: Omit<LabHostOptions, 'stateFolder'>): Promise<LabHost> {
    const host = await LabHost.start(await this.orc(), { ...options, stateFolder: this.folder() })
    this.#resources.defer(() => host.stop())
    return host
  }

  async helper(file: string, options: object, env?: Readonly<Record<string, string>>): Promise<Helper> {
    const helper = await startHelper(file, options, env)
    this.#resources.defer(helper.stop)
    return helper
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync()
  }
}
