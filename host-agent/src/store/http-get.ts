import { Backoff } from '../backoff.ts'
import { AGENT_VERSION } from '../version.ts'
import { DownloadError, interrupted } from './download-error.ts'
import { HttpAnswer, networkError, placeOf } from './http-answer.ts'
import type { Hub } from './hub.ts'
import { IdleWatch } from './idle-watch.ts'
import type { ByteRange } from './coverage.ts'

/** What requests share. */
export interface HttpContext {
  readonly signal: AbortSignal
  /** A server that is silent for so long is given up. */
  readonly idleMs: number
  /** Attempts after the first one, as long as none of them brings anything. */
  readonly retries: number
  readonly random: () => number
  /** Resolves after so many milliseconds, or when the signal is aborted. */
  readonly wait: (delayMs: number, signal: AbortSignal) => Promise<void>
}

interface GetOrder {
  readonly url: string
  /** Gets its token, if the address is one of its own. Undefined: no token is sent at all. */
  readonly hub: Hub | undefined
  readonly range?: ByteRange
  readonly userAgent?: string
}

const MAX_REDIRECTS = 10
const MAX_RETRY_AFTER_MS = 60_000

/** One GET. Follows redirects; the token goes to the hub's own origin and nowhere else. Throws a `DownloadError`. */
export async function httpGet(order: GetOrder, context: HttpContext): Promise<HttpAnswer> {
  const watch = new IdleWatch(context.idleMs, context.signal)
  try {
    return await follow(order, watch)
  } catch (error) {
    watch[Symbol.dispose]()
    throw error
  }
}

/** As `httpGet`, again after failures that may pass. */
export async function getWithRetries(order: GetOrder, context: HttpContext): Promise<HttpAnswer> {
  const attempts = new Attempts(context)
  while (true) {
    try {
      return await httpGet(order, context)
    } catch (error) {
      await attempts.afterFailure(error)
    }
  }
}

/** Counts failures in a row and waits between them. */
export class Attempts {
  readonly #context: HttpContext
  readonly #backoff: Backoff
  #failures = 0

  constructor(context: HttpContext) {
    this.#context = context
    this.#backoff = new Backoff(context.random)
  }

  /** Something was gained: the failures before do not count any more. */
  reset(): void {
    this.#failures = 0
    this.#backoff.reset()
  }

  /** Waits before the next attempt. Throws the error if there is none. */
  async afterFailure(error: unknown): Promise<void> {
    const { signal, retries, wait } = this.#context
    if (!(error instanceof DownloadError) || !error.transient || this.#failures >= retries) throw error
    this.#failures++
    await wait(Math.max(this.#backoff.next(), error.retryAfterMs ?? 0), signal)
    if (signal.aborted) throw interrupted(error)
  }
}

async function follow(order: GetOrder, watch: IdleWatch): Promise<HttpAnswer> {
  let { url } = order
  let linkedSha256: string | undefined
  for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
    const isHub = order.hub !== undefined && isWithin(url, order.hub.endpoint)
    const response = await fetch(url, {
      signal: watch.signal,
      redirect: 'manual',
      headers: headersOf(order, isHub ? order.hub?.token : undefined),
    }).catch((cause: unknown) => {
      throw networkError(url, watch, cause)
    })
    watch.touch()
    if (isHub) linkedSha256 ??= hashIn(response.headers.get('x-linked-etag'))
    const location = response.status >= 300 && response.status < 400 ? response.headers.get('location') : null
    if (location === null) return acceptAnswer(response, url, isHub, linkedSha256, watch)
    await response.body?.cancel().catch(() => {})
    url = nextUrl(url, location)
  }
  throw new DownloadError('server_failed', `${placeOf(order.url)} redirects in circles; check the address`)
}

async function acceptAnswer(
  response: Response,
  url: string,
  isHub: boolean,
  linkedSha256: string | undefined,
  watch: IdleWatch,
): Promise<HttpAnswer> {
  const encoding = response.headers.get('content-encoding') ?? 'identity'
  const answer = new HttpAnswer(response, url, linkedSha256, watch)
  if (response.status === 206 ? answer.range !== undefined : response.status === 200) {
    if (encoding === 'identity') return answer
  }
  await answer[Symbol.asyncDispose]()
  throw statusError(response, url, isHub)
}

function headersOf(order: GetOrder, token: string | undefined): Record<string, string> {
  const { range, userAgent } = order
  return {
    accept: '*/*',
    'accept-encoding': 'identity',
    'user-agent': userAgent ?? `daisi-host/${AGENT_VERSION}`,
    ...(range !== undefined && { range: `bytes=${range.start}-${range.end - 1}` }),
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  }
}

function nextUrl(url: string, location: string): string {
  const place = placeOf(url)
  if (!URL.canParse(location, url))
    throw new DownloadError('server_failed', `${place} redirects to no address; check the address`)
  const next = new URL(location, url)
  const safe = next.protocol === 'https:' || (next.protocol === 'http:' && new URL(url).protocol === 'http:')
  if (!safe)
    throw new DownloadError(
      'server_failed',
      `${place} redirects to an address without encryption; choose another one`,
    )
  next.username = ''
  next.password = ''
  return next.href
}

function statusError(response: Response, url: string, isHub: boolean): DownloadError {
  const { status } = response
  const place = placeOf(url)
  if (status === 401 || status === 403) {
    const remedy = isHub
      ? 'check the name; for a private or gated model set HF_TOKEN to a token that may read it, and accept its terms there'
      : 'choose an address that needs no login'
    return new DownloadError('access_denied', `${place} refuses access (HTTP ${status}): ${remedy}`)
  }
  if (status === 404 || status === 410)
    return new DownloadError('model_not_found', `${place} does not exist (HTTP ${status}); check the name`)
  if (status === 416) return new DownloadError('server_changed', `${place} became shorter; download it again`)
  const transient = status === 408 || status === 429 || status >= 500
  const remedy = transient ? 'try again later' : 'check the address'
  return new DownloadError('server_failed', `${place} does not send the file (HTTP ${status}); ${remedy}`, {
    transient,
    retryAfterMs: retryAfterMs(response.headers.get('retry-after')),
  })
}

function retryAfterMs(header: string | null): number | undefined {
  return header !== null && /^\d{1,6}$/.test(header)
    ? Math.min(Number(header) * 1_000, MAX_RETRY_AFTER_MS)
    : undefined
}

function hashIn(etag: string | null): string | undefined {
  return /^"?([0-9a-f]{64})"?$/.exec(etag ?? '')?.[1]
}

function isWithin(url: string, endpoint: string): boolean {
  return new URL(url).origin === new URL(endpoint).origin
}
