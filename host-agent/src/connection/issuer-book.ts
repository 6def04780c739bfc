import { knownOrcs } from '../state/orc-record.ts'

/**
 * Which Orc owns which issuer name, among all that this Host knows: those that this agent serves, and those that the state
 * folder remembers. What tells Orcs apart in tokens, receipts and proofs is this name alone.
 */
export class IssuerBook {
  readonly #stateFolder: string
  readonly #urls = new Map<string, string>()

  constructor(stateFolder: string) {
    this.#stateFolder = stateFolder
  }

  /**
   * Looks up which Orcs the state folder remembers now: another process may have met one meanwhile. Throws a `FatalError`
   * for a broken file.
   */
  async refresh(): Promise<void> {
    for (const { issuer, url } of await knownOrcs(this.#stateFolder))
      if (issuer !== undefined) this.claim(issuer, url)
  }

  /** Takes the name for the Orc at `url`. Returns the address of another Orc that has it already. */
  claim(issuer: string, url: string): string | undefined {
    const owner = this.#urls.get(issuer)
    if (owner !== undefined && owner !== url) return owner
    this.#urls.set(issuer, url)
    return undefined
  }
}
