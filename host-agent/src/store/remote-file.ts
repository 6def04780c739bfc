import type { ByteRange } from './coverage.ts'
import { DownloadError } from './download-error.ts'
import type { HttpAnswer } from './http-answer.ts'
import { httpGet, type HttpContext } from './http-get.ts'
import type { Hub } from './hub.ts'

/** A file behind an address. Remembers where its redirects end, and asks anew when that place is no longer good. */
export class RemoteFile {
  readonly url: string
  readonly #hub: Hub | undefined
  #location: string | undefined

  constructor(url: string, hub: Hub | undefined) {
    this.url = url
    this.#hub = hub
  }

  /** One GET. Throws a `DownloadError`. */
  async get(range: ByteRange | undefined, context: HttpContext): Promise<HttpAnswer> {
    const url = this.#location ?? this.url
    const wanted = { hub: this.#hub, ...(range !== undefined && { range }) }
    try {
      const answer = await httpGet({ url, ...wanted }, context)
      this.#location = answer.url
      return answer
    } catch (error) {
      this.#location = undefined
      // The places that redirects lead to expire within the hour.
      if (url === this.url || !(error instanceof DownloadError) || error.transient) throw error
      return await httpGet({ url: this.url, ...wanted }, context)
    }
  }
}
