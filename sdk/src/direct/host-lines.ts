import type { DirectGrant, DirectRequest, Session } from '@daisi/protocol/consumer'
import { CallScope } from '../call-scope.ts'
import type { Daisi } from '../daisi.ts'
import { DaisiError } from '../error.ts'
import type { Fetch } from '../options.ts'
import { ConsumerKey } from './consumer-key.ts'
import { GrantLimit } from './grant-limit.ts'
import { HostLine } from './host-line.ts'
import type { DirectOptions } from './options.ts'
import type { TokenNeed } from './prompt-size.ts'

/** A token that ends sooner is replaced first. */
const RENEW_SECONDS = 30
/** Tokens that are asked for at least; twice as many each time that they were used up before their time, up to the second number. */
const USUAL_BUDGET = 2_048
const MOST_USUAL_BUDGET = 16_384
/** What Orcs take as a budget at most. */
const MAX_BUDGET = 1_000_000
/** An Orc that refused a Host is asked again this much later, where it does not say when. */
const ASK_AGAIN_MS = 10_000
const ORC_TIMEOUT_MS = 15_000
const AVOID_MS = 60_000
const AVOID_BUSY_MS = 5_000
const AVOID_DISHONEST_MS = 3_600_000

/** Refusals of a proof or token. */
const OF_CREDENTIALS = /^(?:token_|proof_|job_|unacknowledged$)/

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
  /** What the Orc refused. */
  #pause: Pause | undefined
  readonly limit: GrantLimit = new GrantLimit()
  /** Budget that the present token was asked for with. The Orc may grant less. */
  #asked = 0
  /** The Orc named a Host that is avoided, so that it has no other. */
  #hasNoOther = false
  #isClosed = false
  readonly #unsettled = new Set<Promise<void>>()

  constructor(daisi: Daisi, options: DirectOptions, now: () => number) {
    this.#daisi = daisi
    this.#options = options
    this.#now = now
  }

  /**
   * A Host for a request that needs so many tokens, or why there is none at present. Throws what no other way would change: a wrong
   * key, missing rights, a closed connection.
   */
  async current(need: TokenNeed, signal: AbortSignal | undefined): Promise<HostLine | DaisiError> {
    if (this.#isClosed) throw closed()
    const { line } = this
    const isGood = line !== undefined && this.hasRoom(line, need, RENEW_SECONDS)
    const avoided = isGood ? this.#avoiding(line) : undefined
    // Another token for the same Host would only hold more credits.
    if (isGood && (avoided === undefined || this.#hasNoOther)) return avoided ?? line
    if (this.#pause !== undefined && this.#pause.until > this.#now()) return avoided ?? this.#pause.failure
    if (!this.limit.mayAsk(this.#now()))
      return avoided ?? unavailable('The Session has no Host that answers.')
    this.#renewal ??= this.#renew(need.most, avoided !== undefined).finally(() => (this.#renewal = undefined))
    const scope = new CallScope(Infinity, signal)
    try {
      return await scope.race(this.#renewal)
    } finally {
      scope.close()
    }
  }

  /** Whether the token has room for a request, or is as large as the Orc makes them and not used yet. */
  hasRoom(line: HostLine, { least }: TokenNeed, seconds = 0): boolean {
    const tokens = Math.min(least, MAX_BUDGET)
    return line.covers(seconds, tokens <= this.#asked ? Math.min(tokens, line.grant.budget) : tokens)
  }

  /**
   * Takes note that a request failed before its first text. True if it is to be tried again, once, with a new proof or token. A Host's
   * word against a token costs credits, so it only counts where the token may indeed be spent; else it is the Host that fails.
   */
  failed(line: HostLine, failure: DaisiError, need: TokenNeed, mayRenew = false): boolean {
    const { code, status = 503, retryAfterMs } = failure
    if (mayRenew && /^(?:proof_|job_)/.test(code)) return true
    // A request that is wrong by itself, or larger than what the Orc grants, says nothing about the Host.
    const isOfRequest =
      status >= 400 && status < 500 && status !== 408 && status !== 429 && !OF_CREDENTIALS.test(code)
    if (isOfRequest) return false
    this.limit.failed(line, this.#now())
    if (canBeTrue(code, line, need)) {
      if (this.line === line) this.line = undefined
      return mayRenew
    }
    const isBusy = status === 429 || code === 'busy' || code === 'draining'
    const ms = line.lie ? AVOID_DISHONEST_MS : (retryAfterMs ?? (isBusy ? AVOID_BUSY_MS : AVOID_MS))
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
    return line.lie && this.#avoid(line, AVOID_DISHONEST_MS, line.lie)
  }

  #avoid({ grant }: HostLine, ms: number, failure: DaisiError): DaisiError {
    this.#avoided.set(grant.endpoint, { until: this.#now() + ms, failure })
    return failure
  }

  async #renew(tokens: number, isAvoided: boolean): Promise<HostLine | DaisiError> {
    const { line } = this
    const isUsedUp = line?.hasAnswered && !isAvoided && line.covers(RENEW_SECONDS, -Infinity)
    const usual = isUsedUp ? Math.min(2 * line.grant.budget, MOST_USUAL_BUDGET) : USUAL_BUDGET
    const budget = Math.min(Math.max(tokens, usual), MAX_BUDGET)
    try {
      this.#key ??= await makeKey()
      const grant = await this.#ask({ model: this.#options.model, key: this.#key.jwk, budget })
      this.line = new HostLine(grant, this.#key, this.#fetchFor(grant), this.#unsettled, this.#now)
    } catch (error) {
      const failure =
        DaisiError.isInstance(error) || !this.#options.requestHost
          ? error
          : unavailable('requestHost failed.', error)
      if (!DaisiError.isInstance(failure) || isFinal(failure)) throw failure
      // Where credits are missing, plain requests may do with fewer.
      const ms = failure.retryAfterMs ?? (failure.status === 402 ? AVOID_MS : ASK_AGAIN_MS)
      this.#pause = { until: this.#now() + ms, failure }
      return failure
    }
    this.#asked = budget
    this.limit.granted(this.line, this.#now())
    const avoided = this.#avoiding(this.line)
    this.#hasNoOther = avoided !== undefined
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

/** Whether a refusal of a token can be true by what is known here. */
function canBeTrue(code: string, line: HostLine, { most }: TokenNeed): boolean {
  if (code === 'token_expired') return !line.covers(0, -Infinity)
  if (code === 'token_budget') return !line.covers(-Infinity, most)
  // Acknowledgements may have been lost.
  return code === 'unacknowledged' && line.hasAnswered
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
  return status === 401 || status === 403
}
