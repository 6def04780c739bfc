/** The cookies of one browser, as far as one site sets them. */
export class Cookies {
  readonly #values = new Map<string, string>()

  /** Takes what an answer sets and takes away. */
  take(response: Response): void {
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = '', attributes = ''] = /^([^=]+)=([^;]*)(.*)$/.exec(line) ?? []
      if (/;\s*max-age=0\b/i.test(attributes)) this.#values.delete(name)
      else this.#values.set(name, value)
    }
  }

  get(name: string): string | undefined {
    return this.#values.get(name)
  }
  set(name: string, value: string): void {
    this.#values.set(name, value)
  }

  /** The header of a request, to set into its headers; nothing if there is no cookie. */
  header(): Record<string, string> {
    const pairs = [...this.#values].map(([name, value]) => `${name}=${value}`)
    return pairs.length === 0 ? {} : { cookie: pairs.join('; ') }
  }
}
