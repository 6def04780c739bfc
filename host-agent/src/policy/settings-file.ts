import { readAgentConfig, writeAgentConfig } from '../state/agent-config.ts'
import type { OwnerSettings } from '../state/owner-settings.ts'

/** The owner's settings in the configuration file. */
export class SettingsFile {
  readonly #stateFolder: string
  #writing: Promise<void> = Promise.resolve()

  constructor(stateFolder: string) {
    this.#stateFolder = stateFolder
  }

  /**
   * Changes these settings and nothing else: the file is read anew, since its owner may have edited it meanwhile. Throws a
   * `FatalError` if it cannot be read or written; then it is as it was.
   */
  save(change: Partial<OwnerSettings>): Promise<void> {
    const saved = this.#writing.then(() => this.#save(change))
    this.#writing = saved.catch(() => {})
    return saved
  }

  async #save(change: Partial<OwnerSettings>): Promise<void> {
    const config = await readAgentConfig(this.#stateFolder)
    const settings = { ...config.settings, ...change }
    await writeAgentConfig(this.#stateFolder, { ...config, settings })
  }
}
