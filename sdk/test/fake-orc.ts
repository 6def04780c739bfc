import type {
  ChatRequest,
  DirectRequest,
  ErrorCode,
  Session,
  SessionRequest,
  UsageTotals,
} from '@daisi/protocol/consumer'
import type { Fetch } from '../src/options.ts'
import { chunks, sse, wholeAnswer } from './answers.ts'
import type { FakeHost } from './fake-host.ts'

export const KEY = 'daisi_sk_test'
const MODEL = {
  id: 'daisi-nano',
  object: 'model',
  created: 1,
  owned_by: 'daisi',
  context_length: 2_048,
  hosts_online: 1,
} as const
const totals: UsageTotals = { jobs: 0, prompt_tokens: 0, cached_tokens: 0, generated_tokens: 0, credits: 0 }

/** One request as the Orc saw it. */
export interface Seen {
  readonly method: string
  readonly url: URL
  readonly headers: Headers
  readonly body: unknown
  readonly signal: AbortSignal
}

/** What happens to one request instead of an answer. `serve` is the answer that it would have had. */
export type Fault = (seen: Seen, serve: () => Response) => Response | Promise<Response>

/** An Orc in this process that keeps to PROTOCOL.md (A, K, S, E), and can be told to fail. */
export class FakeOrc {
  readonly seen: Seen[] = []
  /** Jobs that were paid. */
  charged = 0
  /** Hosts that offer Direct Connections. The first one is given out. */
  readonly hosts: FakeHost[]
  readonly #faults: Fault[] = []
  readonly #sessions = new Map<string, Session>()
  readonly #processed = new Map<string, string>()

  constructor(...hosts: FakeHost[]) {
    this.hosts = hosts
  }

  /** The next requests meet these, one each. */
  next(...faults: readonly Fault[]): this {
    this.#faults.push(...faults)
    return this
  }

  readonly fetch: Fetch = async (url, init) => {
    const text = typeof init.body === 'string' ? init.body : ''
    const seen: Seen = {
      method: init.method ?? 'GET',
      url: new URL(url),
      headers: new Headers(init.headers),
      body: text === '' ? undefined : JSON.parse(text),
      signal: init.signal ?? new AbortController().signal,
    }
    this.seen.push(seen)
    const fault = this.#faults.shift()
    const serve = (): Response => this.#serve(seen, text)
    return await (fault === undefined ? serve() : fault(seen, serve))
  }

  #serve(seen: Seen, text: string): Response {
    const { method, url, headers } = seen
    if (!headers.has('authorization')) return refusal(401, 'missing_credentials')
    if (headers.get('authorization') !== `Bearer ${KEY}`) return refusal(401, 'invalid_api_key')
    const route = `${method} ${url.pathname.replace(/sess_\d+/, ':id')}`
    switch (route) {
      case 'POST /v1/chat/completions':
        return this.#chat(seen, text)
      case 'GET /v1/models':
        return json({ object: 'list', data: [MODEL] })
      case 'GET /v1/models/daisi-nano':
        return json(MODEL)
      case 'POST /v1/sessions':
        return this.#openSession(seen.body ?? {})
      case 'POST /v1/sessions/:id/direct':
        return this.#direct(url, seen.body as DirectRequest)
      case 'POST /v1/tokens':
        return json(
          { object: 'browser_token', token: 'daisi_bt_test', expires_at: 900, ...(seen.body as object) },
          201,
        )
      case 'GET /v1/sessions/:id':
      case 'DELETE /v1/sessions/:id':
        return this.#session(url, method)
      case 'GET /v1/usage':
        return json({
          object: 'usage',
          network: network(headers),
          totals,
          balance: { available: 9, held: 1, frozen: 0, earned: 0, spent: 3 },
        })
      default:
        return refusal(404, 'not_found')
    }
  }

  #chat({ headers, body }: Seen, text: string): Response {
    const key = headers.get('idempotency-key')
    const earlier = key === null ? undefined : this.#processed.get(key)
    if (earlier === text) return refusal(409, 'request_already_processed', { 'x-should-retry': 'false' })
    if (earlier !== undefined) return refusal(422, 'idempotency_key_reused', { 'x-should-retry': 'false' })
    const session = headers.get('daisi-session')
    if (session !== null && this.#sessions.get(session)?.status !== 'open')
      return refusal(409, 'session_closed')
    const request = body as ChatRequest
    this.charged += 1
    if (key !== null) this.#processed.set(key, text)
    return request.stream === true ? sse(chunks(request)) : json(wholeAnswer(request))
  }

  #openSession(request: SessionRequest): Response {
    const host = request.direct === undefined ? undefined : this.hosts[0]
    if (request.direct !== undefined && host === undefined) return refusal(503, 'no_host_available')
    const id = `sess_${this.#sessions.size + 1}`
    const session: Session = {
      id,
      object: 'session',
      network: request.network ?? 'public',
      mode: request.mode ?? 'orchestrated',
      status: 'open',
      budget: request.budget ?? null,
      expires_at: 3_600,
      usage: totals,
    }
    this.#sessions.set(id, session)
    return json(request.direct ? { ...session, direct: host?.grant(request.direct) } : session, 201)
  }

  #direct(url: URL, request: DirectRequest): Response {
    const status = this.#sessions.get(url.pathname.split('/').at(-2) ?? '')?.status
    if (status !== 'open') return status ? refusal(409, 'session_closed') : refusal(404, 'not_found')
    return this.hosts[0] === undefined
      ? refusal(503, 'no_host_available')
      : json(this.hosts[0].grant(request))
  }

  #session(url: URL, method: string): Response {
    const id = url.pathname.split('/').at(-1) ?? ''
    const session = this.#sessions.get(id)
    if (session === undefined) return refusal(404, 'not_found')
    if (method === 'DELETE') this.#sessions.set(id, { ...session, status: 'closed' })
    return json(this.#sessions.get(id))
  }
}

function network(headers: Headers): string {
  return headers.get('daisi-network') ?? 'public'
}

/** An error answer (E1, A8). */
export function refusal(status: number, code: ErrorCode, headers: Record<string, string> = {}): Response {
  return json({ error: { message: `about ${code}`, type: 'test_error', code, param: null } }, status, headers)
}

/** An answer of the Orc (A8). */
export function json(body: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return Response.json(body, { status, headers: { 'x-request-id': 'req_1', ...headers } })
}

/** The connection never reached the Orc. */
export const unreachable: Fault = () => Promise.reject(new TypeError('fetch failed'))

/** The Orc did the work, and its answer was lost. */
export const answerLost: Fault = (_, serve) => {
  serve()
  return Promise.reject(new TypeError('fetch failed'))
}

/** The Orc answers this. */
export function answer(make: () => Response): Fault {
  return () => make()
}

/** The Orc does not answer; the request ends when its signal fires. */
export const silence: Fault = ({ signal }) =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
