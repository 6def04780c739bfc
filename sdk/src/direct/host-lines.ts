import type { DirectGrant, DirectRequest, Session } from '@daisi/protocol/consumer'
import { CallScope } from '../call-scope.ts'
import type { Daisi } from '../daisi.ts'
import { DaisiError } from '../error.ts'
import type { Fetch } from '../options.ts'
import { ConsumerKey } from './consumer-key.ts'
import { HostLine } from './host-line.ts'
import type { DirectOptions } from './options.ts'

/** A token that ends sooner is replaced first. */
const RENEW_SECONDS = 30
/** What the Orc grants where nothing is asked for. */
const DEFAULT_BUDGET = 16_384
const MAX_BUDGET = 1_000_000
/** The Orc is asked for another Host at most this often while the present one fails. */
const ASK_AGAIN_MS = 10_000
const ORC_TIMEOUT_MS = 15_000
const AVOID_MS = 60_000
const AVOID_BUSY_MS = 5_000
const AVOID_DISHONEST_MS = 3_600_000

/** Refusals of a token or proof: with new ones the same Host may take the request. */
const RENEWABLE = /^(?:token_|proof_|unacknowledged$|job_replayed$)/

/** Why something is not tried before a time. */
interface Pause {
  readonly until: number
  readonly failure: DaisiError
}

/** The Session of a Direct Connection and the Host that it leads to, renewed where needed. */
export class HostLines {
  /** The present Host. */
  line: HostLine | undefined
  readonly #daisi: Daisi
  readonly #options: DirectOptions
  readonly #now: () => number
  readonly #avoided = new Map<string, Pause>()
  readonly #fetches = new Map<string, Fetch>()
  #key: ConsumerKey | undefined
  #session: Session | undefined
  #renewal: Promise<HostLine | DaisiError> | undefined
  #pause: Pause | undefined
  #isClosed = false
  readonly #unsettled = new Set<Promise<void>>()

  constructor(daisi: Daisi, options: DirectOptions, now: () => number) {
    this.#daisi = daisi
    this.#options = options
    this.#now = now
  }

  /**
   * A Host for a request of up to so many tokens, or why there is none at present. Throws what no other way would change: a wrong
   * key, missing rights, spent credits, a closed connection.
   */
  async current(tokens: number, signal: AbortSignal | undefined): Promise<HostLine | DaisiError> {
    if (this.#isClosed) throw closed()
    const { line } = this
    const isGood = line !== undefined && line.covers(RENEW_SECONDS, Math.min(tokens, line.grant.budget))
    const avoided = isGood ? this.#avoiding(line) : undefined
    if (isGood && avoided === undefined) return line
    if (this.#pause !== undefined && this.#pause.until > this.#now()) return avoided ?? this.#pause.failure
    this.#renewal ??= this.#renew(tokens).finally(() => (this.#renewal = undefined))
    const scope = new CallScope(Infinity, signal)
    try {
      return await scope.race(this.#renewal)
    } finally {
      scope.close()
    }
  }

  /** Takes note that a request failed before its first text. True if it is to be tried again, once, with a new token. */
  failed(line: HostLine, failure: DaisiError, mayRenew = false): boolean {
    const { code, status = 503, retryAfterMs } = failure
    const isOfToken = RENEWABLE.test(code)
    if (isOfToken && mayRenew) {
      if (this.line === line) this.line = undefined
      return true
    }
    // A request that is wrong by itself, or larger than what the Orc grants, says nothing about the Host.
    const isOfRequest = status >= 400 && status < 500 && status !== 408 && status !== 429 && !isOfToken
    if (isOfRequest || code === 'token_budget') return false
    const isBusy = status === 429 || code === 'busy' || code === 'draining'
    const ms = line.isDishonest ? AVOID_DISHONEST_MS : (retryAfterMs ?? (isBusy ? AVOID_BUSY_MS : AVOID_MS))
    this.#avoid(line, ms, failure)
    return false
  }

  /** Closes the Session, after what was received is acknowledged. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#renewal?.catch(() => undefined)
    await Promise.all(this.#unsettled)
    const session = this.#session
    this.#session = undefined
    if (session !== undefined) await this.#daisi.sessions.close(session.id)
  }

  #avoiding(line: HostLine): DaisiError | undefined {
    const { endpoint } = line.grant
    const pause = this.#avoided.get(endpoint)
    if (pause !== undefined && pause.until > this.#now()) return pause.failure
    this.#avoided.delete(endpoint)
    if (!line.isDishonest) return undefined
    const message = 'The Host counted more tokens than it delivered.'
    return this.#avoid(
      line,
      AVOID_DISHONEST_MS,
      new DaisiError(message, { code: 'host_dishonest', isRetryable: true }),
    )
  }

  #avoid({ grant }: HostLine, ms: number, failure: DaisiError): DaisiError {
    this.#avoided.set(grant.endpoint, { until: this.#now() + ms, failure })
    return failure
  }

  async #renew(tokens: number): Promise<HostLine | DaisiError> {
    let grant: DirectGrant
    try {
      this.#key ??= await makeKey()
      grant = await this.#ask({
        model: this.#options.model,
        key: this.#key.jwk,
        budget: tokens > DEFAULT_BUDGET ? Math.min(tokens, MAX_BUDGET) : undefined,
      })
      this.line = new HostLine(grant, this.#key, this.#fetchFor(grant), this.#unsettled, this.#now)
    } catch (error) {
      const failure =
        DaisiError.isInstance(error) || !this.#options.requestHost
          ? error
          : unavailable('requestHost failed.', error)
      if (!DaisiError.isInstance(failure) || isFinal(failure)) throw failure
      this.#pause = { until: this.#now() + (failure.retryAfterMs ?? ASK_AGAIN_MS), failure }
      return failure
    }
    const avoided = this.#avoiding(this.line)
    this.#pause = avoided && { until: this.#now() + ASK_AGAIN_MS, failure: avoided }
    return avoided ?? this.line
  }

  /** A grant in the present Session, or in a new one where that has ended by itself. */
  async #ask(direct: DirectRequest): Promise<DirectGrant> {
    const { network, budget, ttlSeconds, requestHost } = this.#options
    if (requestHost !== undefined) return await requestHost(direct)
    const options = { maxRetries: 0, timeoutMs: ORC_TIMEOUT_MS }
    if (this.#session !== undefined) {
      try {
        return await this.#daisi.sessions.requestHost(this.#session.id, direct, options)
      } catch (error) {
        const hasEnded = DaisiError.isInstance(error) && /^(?:session_closed|not_found)$/.test(error.code)
        // A new Session would have the whole budget again.
        if (!hasEnded || budget !== undefined) throw error
      }
    }
    const request = { network, mode: 'direct', direct, budget, ttl_seconds: ttlSeconds } as const
    const session = await this.#daisi.sessions.create(request, options)
    this.#session = session
    if (session.direct === undefined) throw unavailable('The Session has no Host.')
    return session.direct
  }

  /** One for each certificate: it holds the connections. */
  #fetchFor({ certificate_sha256: certificate }: DirectGrant): Fetch {
    const { pinnedFetch, fetch = (url, init) => globalThis.fetch(url, init) } = this.#options
    if (certificate === null || pinnedFetch === undefined) return fetch
    const pinned = this.#fetches.get(certificate) ?? pinnedFetch(certificate)
    this.#fetches.set(certificate, pinned)
    return pinned
  }
}

async function makeKey(): Promise<ConsumerKey> {
  try {
    return await ConsumerKey.generate()
  } catch (cause) {
    const message =
      'There is no Ed25519 here. A page needs https:// or localhost, and a browser from 2025 on.'
    throw unavailable(message, cause)
  }
}

/** What keeps a request from going directly, where the Host is not to blame. */
export function unavailable(message: string, cause?: unknown): DaisiError {
  return new DaisiError(message, { code: 'direct_unavailable', isRetryable: false, cause })
}

function closed(): DaisiError {
  return new DaisiError('The connection is closed.', { code: 'session_closed', isRetryable: false })
}

/** The Orc would refuse the same request on its other way too. */
function isFinal({ status }: DaisiError): boolean {
  return status === 401 || status === 402 || status === 403
}
