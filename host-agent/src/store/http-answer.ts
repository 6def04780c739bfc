import { DownloadError, interrupted } from './download-error.ts'
import type { IdleWatch } from './idle-watch.ts'

/** Bytes of a whole representation that an answer carries. */
export interface ContentRange {
  readonly start: number
  readonly end: number
  readonly total: number
}

/** The answer of a server to a GET, after its redirects. Dispose of it in any case. */
export class HttpAnswer implements AsyncDisposable {
  /** Where it came from in the end. */
  readonly url: string
  readonly headers: Headers
  /** `undefined`: the whole representation. */
  readonly range: ContentRange | undefined
  /** SHA-256 of the whole file, where the server states it. */
  readonly sha256: string | undefined
  readonly #response: Response
  readonly #watch: IdleWatch

  constructor(response: Response, url: string, linkedSha256: string | undefined, watch: IdleWatch) {
    this.#response = response
    this.#watch = watch
    this.url = url
    this.headers = response.headers
    this.range = response.status === 206 ? contentRange(response.headers) : undefined
    this.sha256 = linkedSha256 ?? statedSha256(response.headers)
  }

  /** Changes with the file, if the server tells. */
  get validator(): string | undefined {
    return this.headers.get('etag') ?? this.headers.get('last-modified') ?? undefined
  }

  /** Size of the whole file; undefined if the server does not say. */
  get totalBytes(): number | undefined {
    if (this.range !== undefined) return this.range.total
    const length = this.headers.get('content-length') ?? ''
    return /^\d{1,15}$/.test(length) ? Number(length) : undefined
  }

  /** What arrives, until the end. Throws a transient `DownloadError` if the connection breaks. */
  async *chunks(): AsyncGenerator<Uint8Array> {
    const body = this.#response.body as AsyncIterable<Uint8Array> | null
    if (body === null) return
    const chunks = body[Symbol.asyncIterator]()
    try {
      while (true) {
        const { value, done } = await chunks.next().catch((cause: unknown) => {
          throw networkError(this.url, this.#watch, cause)
        })
        if (done === true) return
        this.#watch.touch()
        yield value
      }
    } finally {
      await chunks.return?.().catch(() => {})
    }
  }

  /** The first bytes, or all of them if there are fewer. */
  async readStart(bytes: number): Promise<Buffer> {
    let start: Buffer = Buffer.alloc(0)
    for await (const chunk of this.chunks()) {
      start = Buffer.concat([start, chunk.subarray(0, bytes - start.length)])
      if (start.length === bytes) break
    }
    return start
  }

  /** Everything. Throws a `DownloadError` if there is more than allowed. */
  async readAll(maxBytes: number): Promise<Buffer> {
    try {
      const all = await this.readStart(maxBytes + 1)
      if (all.length <= maxBytes) return all
      throw new DownloadError('server_failed', `${placeOf(this.url)} sent too much; check the address`)
    } finally {
      await this[Symbol.asyncDispose]()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watch[Symbol.dispose]()
    await this.#response.body?.cancel().catch(() => {})
  }
}

/** A failure below HTTP as a `DownloadError`: asked for, or transient. */
export function networkError(url: string, watch: IdleWatch, cause: unknown): DownloadError {
  if (watch.signal.aborted && !watch.expired) return interrupted(cause)
  const reason = watch.expired ? 'no answer' : reasonOf(cause)
  const message = `${placeOf(url)} cannot be reached (${reason}); check the network and the address`
  return new DownloadError('network_unreachable', message, { cause, transient: true })
}

/** An address as people may see it: without its query, which can hold signatures. */
export function placeOf(url: string): string {
  const { origin, pathname } = new URL(url)
  return origin + pathname
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code
  return 'the connection broke'
}

function contentRange(headers: Headers): ContentRange | undefined {
  const match = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(headers.get('content-range') ?? '')
  if (match === null) return undefined
  const [, first, last, total] = match
  return { start: Number(first), end: Number(last) + 1, total: Number(total) }
}

/** `Repr-Digest` of RFC 9530. An ETag is of no use here: what it is made of is the server's affair. */
function statedSha256(headers: Headers): string | undefined {
  const match = /(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):/.exec(headers.get('repr-digest') ?? '')
  return match?.[1] === undefined ? undefined : Buffer.from(match[1], 'base64').toString('hex')
}
