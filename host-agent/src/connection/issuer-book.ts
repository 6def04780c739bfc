/** Which Orc owns which issuer name, in one agent. What tells Orcs apart in tokens and receipts is this name alone. */
export class IssuerBook {
  readonly #urls = new Map<string, string>()

  /** Takes the name for the Orc at `url`. Returns the address of another Orc that has it already. */
  claim(issuer: string, url: string): string | undefined {
    const owner = this.#urls.get(issuer)
    if (owner !== undefined && owner !== url) return owner
    this.#urls.set(issuer, url)
    return undefined
  }
}
