import type { ChatCompletionChunk, ChatRequest, DirectGrant } from '@daisi/protocol/consumer'
import { CallScope } from '../call-scope.ts'
import type { OpenCall } from '../call.ts'
import type { ChatParameters } from '../chat.ts'
import { isChunk, readChunks } from '../chat-stream.ts'
import { errorOfEvent, errorOfResponse, errorText } from '../error-response.ts'
import { DaisiError, interrupted, invalidResponse } from '../error.ts'
import type { StreamWatch } from '../event-source.ts'
import type { Fetch } from '../options.ts'
import { randomHex } from '../random-hex.ts'
import { Acknowledger, knock } from './acknowledger.ts'
import { type ConsumerKey, sha256 } from './consumer-key.ts'
import { ACKNOWLEDGE_EVERY, Delivery } from './delivery.ts'
import { isSafeEndpoint } from './endpoint.ts'
import { promptBound, requestedTokens, tokenNeed } from './prompt-size.ts'
import { Shown, showsSomething } from './shown.ts'

const CHAT_PATH = '/v1/chat/completions'
/** After this long without a word from it, a Host is knocked at before it is sent a prompt. */
const KNOCK_AFTER_MS = 30_000
/** Browsers open six connections to a server at most, and acknowledgements need some of them. */
const ANSWERS_AT_ONCE = 'location' in globalThis ? 4 : Infinity
/** How long the end of a stream waits for its last acknowledgement. */
const LAST_ACKNOWLEDGEMENT_MS = 2_000
/** Chunks that may come before the first text. An honest Host sends one. */
const CHUNKS_BEFORE_TEXT = 64
/** Tokens that a Host may have made of an answer that is left, beyond what came of it (rule D5). */
const WINDOW_TOKENS = 64

/** An answer that has begun: its first chunks are there. */
export interface DirectAnswer {
  readonly call: OpenCall
  readonly chunks: Chunks
}

interface Reading {
  readonly delivery: Delivery
  readonly acknowledger: Acknowledger
}

type Chunks = AsyncGenerator<ChatCompletionChunk, void, void>

/** How one request goes to a Host. Milliseconds. */
export interface DirectTerms {
  readonly signal: AbortSignal | undefined
  /** The longest silence inside the answer. */
  readonly timeoutMs: number
  /** How long the first text may take. */
  readonly answerMs: number
}

/** One Host with the Session token for it: sends requests, checks what comes, and acknowledges it. */
export class HostLine {
  readonly grant: DirectGrant
  /** It stated what cannot be. */
  lie: DaisiError | undefined
  /** It sent the first text of an answer, or its end. */
  hasAnswered = false
  /** Acknowledgements of finished answers that are on their way. */
  readonly #unsettled: Set<Promise<void>>
  /** Answers on their way, with the tokens that the Host sets aside for each. */
  readonly #open = new Map<CallScope, number>()
  /** Answers that are being read. */
  readonly #reading = new Set<Reading>()
  readonly #key: ConsumerKey
  readonly #fetch: Fetch
  readonly #nowSeconds: () => number
  readonly #orcAheadMs: number
  #heardAt = -Infinity
  #spent = 0

  constructor(
    grant: DirectGrant,
    key: ConsumerKey,
    fetch: Fetch,
    unsettled: Set<Promise<void>>,
    now: () => number,
  ) {
    this.grant = grant
    this.#key = key
    this.#fetch = fetch
    this.#unsettled = unsettled
    // Whoever's clock is wrong: proofs are dated by the Orc's, which dated the token just now.
    this.#orcAheadMs = issuedAtMs(grant.token, now()) - now()
    this.#nowSeconds = () => Math.floor((now() + this.#orcAheadMs) / 1_000)
  }

  /** Whether one more answer would take the connections that acknowledgements need. */
  get isFull(): boolean {
    return this.#open.size >= ANSWERS_AT_ONCE
  }

  /** Whether the token lasts for so many seconds and tokens more, beside the answers on their way. */
  covers(seconds: number, tokens: number): boolean {
    const { expires_at: expiresAt, budget } = this.grant
    let left = budget - this.#spent
    for (const reserved of this.#open.values()) left -= reserved
    return expiresAt - this.#nowSeconds() > seconds && left >= tokens
  }

  /** Resolves when the Host has answered anything, lately or now. Throws `connection_error` or `timeout`. */
  async reach(timeoutMs: number, signal?: AbortSignal): Promise<void> {
    if (this.#nowSeconds() * 1_000 - this.#heardAt < KNOCK_AFTER_MS) return
    const scope = new CallScope(timeoutMs, signal)
    try {
      const { endpoint } = this.grant
      if (!isSafeEndpoint(endpoint)) throw new TypeError(`${endpoint} is no address for a prompt`)
      await knock(endpoint, this.#fetch, scope)
      this.#heard()
    } catch (cause) {
      throw scope.failureOf(cause)
    } finally {
      scope.close()
    }
  }

  /** Sends a request. Resolves with its first text or its end; everything before that throws. */
  async ask(request: ChatParameters, terms: DirectTerms): Promise<DirectAnswer> {
    const jobId = `job_${randomHex()}`
    const scope = new CallScope(terms.timeoutMs, terms.signal)
    this.#open.set(scope, tokenNeed(request).most)
    const beginning = new CallScope(terms.answerMs)
    beginning.signal.addEventListener('abort', () => scope.fail(beginning.signal.reason))
    try {
      const response = await this.#post(request, jobId, scope)
      const call = { response, scope, requestId: jobId }
      const chunks = await begun(readChunks(call, this.#watch(request, call)), jobId)
      this.hasAnswered = true
      return { call, chunks }
    } catch (cause) {
      const error = DaisiError.isInstance(cause) ? cause : scope.failureOf(cause)
      this.#open.delete(scope)
      scope.fail(error)
      scope.close()
      throw error
    } finally {
      beginning.close()
    }
  }

  async #post(request: ChatParameters, jobId: string, scope: CallScope): Promise<Response> {
    const { endpoint, token } = this.grant
    const wire: ChatRequest = { ...request, stream: true, stream_options: { include_usage: true } }
    const body = JSON.stringify(wire)
    const url = endpoint + CHAT_PATH
    const [ath, bodyHash] = await Promise.all([sha256(token), sha256(body)])
    const claims = { jti: jobId, htm: 'POST', htu: url, iat: this.#nowSeconds(), ath, body: bodyHash }
    const headers = {
      accept: 'text/event-stream',
      authorization: `DPoP ${token}`,
      'content-type': 'application/json',
      dpop: await this.#key.sign('dpop+jwt', claims),
    }
    const { signal } = scope
    signal.throwIfAborted()
    // A redirect could lead a prompt, and this program, to where neither should go.
    const init: RequestInit = { method: 'POST', headers, body, redirect: 'manual', signal }
    const fetch = this.#fetch
    const response = await scope.race(fetch(url, init))
    this.#heard()
    const isStream = /^text\/event-stream\b/i.test(response.headers.get('content-type') ?? '')
    if (response.ok && isStream) return response
    if (response.ok) throw invalidResponse('The answer is not an event stream.', response, jobId)
    const text = await errorText(response, scope)
    throw errorOfResponse(response, text, this.#nowSeconds() * 1_000)
  }

  /** Checks what the Host states (rule D6) and acknowledges what came. */
  #watch(request: ChatParameters, { response, scope, requestId = '' }: OpenCall): StreamWatch {
    const { headers } = response
    const delivery = Delivery.begin(headers.get('daisi-prompt-tokens'), headers.get('daisi-cached-tokens'), {
      promptTokens: promptBound(request),
      maxTokens: requestedTokens(request),
      budget: this.grant.budget - this.#spent,
    })
    if (delivery === undefined) throw this.#lie()
    const target = { grant: this.grant, jobId: requestId, key: this.#key, fetch: this.#fetch }
    const acknowledger = new Acknowledger({ ...target, nowSeconds: this.#nowSeconds }, (error) => {
      // Fewer are no reason to leave: the Host goes on, and the next acknowledgement covers them.
      if (delivery.received.generatedTokens - acknowledger.confirmed > ACKNOWLEDGE_EVERY) scope.fail(error)
    })
    const reading = { delivery, acknowledger }
    this.#reading.add(reading)
    const shown = new Shown()
    let isHonest = true
    let isOver = false
    const over = async (): Promise<void> => {
      if (isOver) return
      isOver = true
      this.#open.delete(scope)
      this.#reading.delete(reading)
      const { promptTokens, generatedTokens } = delivery.received
      this.#spent += promptTokens + generatedTokens + (scope.signal.aborted ? WINDOW_TOKENS : 0)
      const last = isHonest ? delivery.due(true) : undefined
      if (last !== undefined) acknowledger.send(last)
      const idle = acknowledger.idle()
      this.#unsettled.add(idle)
      await idle.finally(() => this.#unsettled.delete(idle))
    }
    scope.signal.addEventListener('abort', () => void over())
    return {
      seen: (event, id) => {
        // It ends the stream: its reader is thrown why.
        if (!isChunk(event) || errorOfEvent(event, requestId) !== undefined) return
        const bytes = shown.bytes(event)
        const usage = event.usage ?? undefined
        const hadText = delivery.hasText
        const isPossible =
          bytes !== undefined && delivery.add(id, bytes) && (usage === undefined || delivery.matches(usage))
        if (!isPossible) {
          isHonest = false
          this.#reading.delete(reading)
          const lie = this.#lie()
          throw hadText ? interrupted(requestId, lie) : lie
        }
        this.#heard()
        this.#acknowledge(reading)
      },
      done: async () => {
        const patience = new CallScope(LAST_ACKNOWLEDGEMENT_MS)
        await patience.race(over()).catch(() => undefined)
        patience.close()
      },
    }
  }

  /** All answers under one token share the Host's window (rule D5): together they acknowledge at each half of it. */
  #acknowledge(reading: Reading): void {
    let fresh = 0
    for (const { delivery } of this.#reading) fresh += delivery.fresh
    const isHalf = fresh >= ACKNOWLEDGE_EVERY
    for (const { delivery, acknowledger } of isHalf ? this.#reading : [reading]) {
      const due = delivery.due(isHalf)
      if (due !== undefined) acknowledger.send(due)
    }
  }

  #lie(): DaisiError {
    const message = 'The Host miscounts tokens.'
    return (this.lie = new DaisiError(message, { code: 'host_dishonest', isRetryable: true }))
  }

  #heard(): void {
    this.#heardAt = this.#nowSeconds() * 1_000
  }
}

/** Reads up to the first text or the end, so that whatever fails before it can still go another way. */
async function begun(chunks: Chunks, jobId: string): Promise<Chunks> {
  const first: ChatCompletionChunk[] = []
  for (let hasBegun = false; !hasBegun;) {
    const { value } = await chunks.next()
    if (value === undefined || first.length === CHUNKS_BEFORE_TEXT) throw interrupted(jobId)
    first.push(value)
    hasBegun = showsSomething(value)
  }
  return resumed(first, chunks)
}

async function* resumed(first: readonly ChatCompletionChunk[], rest: Chunks): Chunks {
  try {
    yield* first
    yield* rest
  } finally {
    await rest.return()
  }
}

/** When a Session token was signed, by its signer's clock; the fallback where it does not say. */
function issuedAtMs(token: string, fallback: number): number {
  const payload = token.split('.')[1]?.replaceAll('-', '+').replaceAll('_', '/') ?? ''
  try {
    const { iat } = JSON.parse(atob(payload)) as { readonly iat?: unknown }
    return typeof iat === 'number' ? iat * 1_000 : fallback
  } catch {
    return fallback
  }
}
