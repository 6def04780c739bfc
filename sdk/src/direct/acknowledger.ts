import type { DirectGrant } from '@daisi/protocol/consumer'
import { CallScope } from '../call-scope.ts'
import { DaisiError, interrupted } from '../error.ts'
import type { Fetch } from '../options.ts'
import type { ConsumerKey } from './consumer-key.ts'
import type { Acknowledged } from './delivery.ts'

const PATH = '/daisi/v1/acknowledgements'
const TYPE = 'daisi-acknowledgement+jwt'
const ATTEMPTS = 3
const ATTEMPT_MS = 5_000
const RETRY_MS = 200

/** Where the acknowledgements of one Job go, and how they are signed. */
export interface AcknowledgementTarget {
  readonly grant: DirectGrant
  readonly jobId: string
  readonly key: ConsumerKey
  readonly fetch: Fetch
  /** Seconds since the epoch, on the Orc's clock. */
  readonly nowSeconds: () => number
}

/** Sends acknowledgements in the background, one at a time and in order; of those that wait only the newest goes. */
export class Acknowledger {
  readonly #target: AcknowledgementTarget
  readonly #onFailure: (error: DaisiError) => void
  /** Generated tokens that the Host has taken an acknowledgement of. */
  confirmed = 0
  #next: Acknowledged | undefined
  #sending: Promise<void> | undefined

  /** `onFailure` hears of one that the Host did not take, where no newer one waits. */
  constructor(target: AcknowledgementTarget, onFailure: (error: DaisiError) => void) {
    this.#target = target
    this.#onFailure = onFailure
  }

  send(acknowledged: Acknowledged): void {
    this.#next = acknowledged
    this.#sending ??= this.#sendAll()
  }

  /** Resolves when nothing is on its way any more. */
  async idle(): Promise<void> {
    await this.#sending
  }

  async #sendAll(): Promise<void> {
    for (let next = this.#next; next !== undefined; next = this.#next) {
      this.#next = undefined
      const failure = await this.#deliver(next)
      if (failure === undefined) this.confirmed = next.generatedTokens
      else if (this.#next === undefined) this.#onFailure(failure)
    }
    // At once: one that is sent a moment later begins anew.
    this.#sending = undefined
  }

  async #deliver(acknowledged: Acknowledged): Promise<DaisiError | undefined> {
    for (let attempt = 1; ; attempt += 1) {
      const failure = await this.#attempt(acknowledged)
      if (failure === undefined || !failure.isRetryable || attempt === ATTEMPTS || this.#next) return failure
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS * attempt))
    }
  }

  async #attempt(acknowledged: Acknowledged): Promise<DaisiError | undefined> {
    const { grant, jobId, key, fetch, nowSeconds } = this.#target
    const scope = new CallScope(ATTEMPT_MS)
    try {
      const claims = { aud: grant.host_id, sid: grant.session_id, jobId, ...acknowledged, iat: nowSeconds() }
      const { ok, status, body } = await scope.race(
        fetch(grant.endpoint + PATH, {
          method: 'POST',
          headers: { 'content-type': 'text/plain' },
          body: await key.sign(TYPE, claims),
          redirect: 'manual',
          signal: scope.signal,
        }),
      )
      void body?.cancel().catch(() => undefined)
      const message = `The Host answered an acknowledgement with HTTP ${status}.`
      const isRetryable = status === 429 || status >= 500
      return ok ? undefined : new DaisiError(message, { code: 'stream_interrupted', status, isRetryable })
    } catch (cause) {
      return interrupted(jobId, cause)
    } finally {
      scope.close()
    }
  }
}

/** Asks for any answer at all from where acknowledgements go, as a page may without a preflight (rule D6). */
export async function knock(endpoint: string, fetch: Fetch, scope: CallScope): Promise<void> {
  const headers = { 'content-type': 'text/plain' }
  const { signal } = scope
  const init: RequestInit = { method: 'POST', headers, body: '', redirect: 'manual', signal }
  const { body } = await scope.race(fetch(endpoint + PATH, init))
  void body?.cancel().catch(() => undefined)
}
