import {
  acknowledgementClaims,
  type AcknowledgementClaims,
  type DirectErrorCode,
  dpopClaims,
} from '@daisi/protocol'
import type { ChatRequest, DirectGrant, DirectRequest } from '@daisi/protocol/consumer'
import type { Fetch } from '../src/options.ts'
import { chunks, eventText, eventStream } from './answers.ts'
import type { Fault, Seen } from './fake-orc.ts'
import { base64url, digest, thumbprintOf, verifyJws } from './jws.ts'

const WINDOW_TOKENS = 64

/** A request as it arrived, whatever it was. */
export interface Arrived {
  readonly url: string
  readonly headers: readonly (readonly [string, string])[]
  readonly body: string
}

interface Job {
  readonly thumbprint: string
  acknowledged: number
  wake: () => void
}

/** A Host in this process that keeps to PROTOCOL.md (D), and can be told to fail. */
export class FakeHost {
  readonly endpoint: string
  readonly id: string
  /** Chat requests. */
  readonly seen: Seen[] = []
  /** Everything. */
  readonly arrived: Arrived[] = []
  /** Acknowledgements that verified, in order. */
  readonly acknowledgements: AcknowledgementClaims[] = []
  /** What the next grants say instead. */
  grants: Partial<DirectGrant> = {}
  /** Texts that it generates, one token each. Undefined: the usual answer. */
  words: readonly string[] | undefined
  /** How it tells each of them. */
  delta: (word: string) => object = (content) => ({ content })
  /** What becomes of acknowledgements instead. */
  onAcknowledgement: (() => Response | undefined | Promise<Response | undefined>) | undefined
  /** Seconds by which its clock differs. */
  readonly clockOffset: number
  readonly #faults: Fault[] = []
  readonly #jobs = new Map<string, Job>()
  readonly #keys = new Map<string, DirectRequest>()
  #grants = 0

  constructor(endpoint = 'https://host.test', clockOffset = 0) {
    this.endpoint = endpoint
    this.clockOffset = clockOffset
    this.id = endpoint.replaceAll(/[^a-z0-9]/g, '-').padEnd(43, 'x')
  }

  /** The next chat requests meet these, one each. */
  next(...faults: readonly Fault[]): this {
    this.#faults.push(...faults)
    return this
  }

  /** As the Orc makes it. */
  grant(request: DirectRequest): DirectGrant {
    const now = Math.floor(Date.now() / 1_000) + this.clockOffset
    this.#grants += 1
    const token = `${base64url('{}')}.${base64url(JSON.stringify({ iat: now, jti: String(this.#grants) }))}.signature`
    this.#keys.set(token, request)
    return {
      object: 'direct_grant',
      host_alias: 'brave-otter',
      host_id: this.id,
      endpoint: this.endpoint,
      certificate_sha256: null,
      token,
      session_id: 'ses_0123456789abcdef',
      model: request.model,
      budget: request.budget ?? 16_384,
      expires_at: now + 300,
      ...this.grants,
    }
  }

  readonly fetch: Fetch = async (url, init) => {
    if (init.redirect !== 'manual') throw new Error('a redirect would be followed')
    const body = typeof init.body === 'string' ? init.body : ''
    const headers = new Headers(init.headers)
    this.arrived.push({ url, headers: [...headers], body })
    const path = url.slice(this.endpoint.length)
    if (path === '/daisi/v1/acknowledgements') return await this.#acknowledge(body)
    if (path !== '/v1/chat/completions') return refused(404, 'not_found')
    const signal = init.signal ?? new AbortController().signal
    const seen: Seen = {
      method: init.method ?? '',
      url: new URL(url),
      headers,
      body: JSON.parse(body),
      signal,
    }
    this.seen.push(seen)
    const refusal = await this.#refusal(url, headers, body)
    if (refusal !== undefined) return refused(401, refusal)
    const jobId = await jobIdOf(headers)
    const serve = (): Response => this.#serve(seen.body as ChatRequest, jobId)
    const fault = this.#faults.shift()
    return await (fault === undefined ? serve() : fault(seen, serve))
  }

  async #refusal(url: string, headers: Headers, body: string): Promise<DirectErrorCode | undefined> {
    const token = /^DPoP (\S+)$/.exec(headers.get('authorization') ?? '')?.[1] ?? ''
    const request = this.#keys.get(token)
    if (request === undefined) return 'token_invalid'
    if ((JSON.parse(body) as ChatRequest).model !== request.model) return 'token_invalid'
    const proof = await verifyJws(headers.get('dpop') ?? '')
    const claims = dpopClaims.safeParse(proof?.claims).data
    if (proof === undefined || claims === undefined || proof.type !== 'dpop+jwt') return 'proof_invalid'
    const age = Math.floor(Date.now() / 1_000) + this.clockOffset - claims.iat
    const isRight =
      proof.thumbprint === (await thumbprintOf(request.key)) &&
      claims.htu === url &&
      claims.ath === (await digest(token)) &&
      claims.body === (await digest(body)) &&
      age >= 0 &&
      age <= 60
    if (!isRight) return 'proof_invalid'
    if (this.#jobs.has(claims.jti)) return 'job_replayed'
    this.#jobs.set(claims.jti, { thumbprint: proof.thumbprint, acknowledged: 0, wake: () => undefined })
    return undefined
  }

  #serve(request: ChatRequest, jobId: string): Response {
    if (this.words === undefined) {
      const events = chunks(request).map((event) => eventText(event, 'host'))
      return eventStream(new Blob([': keepalive\n\n', ...events, 'data: [DONE]\n\n']).stream(), 'host')
    }
    const events = this.#generate(request, jobId, this.words)
    const body = new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const { value } = await events.next()
          if (value === undefined) controller.close()
          else controller.enqueue(new TextEncoder().encode(value))
        },
        cancel: async () => void (await events.return()),
      },
      { highWaterMark: 0 },
    )
    return eventStream(body, 'host')
  }

  /** One event for each token, and a pause while more than the window is unacknowledged (D5). */
  async *#generate(
    request: ChatRequest,
    jobId: string,
    words: readonly string[],
  ): AsyncGenerator<string, void, void> {
    const [role, text, ...rest] = chunks({ ...request, stream_options: {} })
    const job = this.#jobs.get(jobId)
    if (role === undefined || text === undefined || job === undefined) throw new Error('there are some')
    const event = (id: number, value: object): string => `id: ${id}\ndata: ${JSON.stringify(value)}\n\n`
    yield event(0, role)
    for (const [index, content] of words.entries()) {
      while (index - job.acknowledged > WINDOW_TOKENS)
        await new Promise<void>((resolve) => (job.wake = resolve))
      yield event(index + 1, { ...text, choices: [{ ...text.choices[0], delta: this.delta(content) }] })
    }
    const usage = {
      prompt_tokens: 5,
      completion_tokens: words.length,
      total_tokens: 5 + words.length,
      prompt_tokens_details: { cached_tokens: 0 },
    }
    yield event(words.length, rest.at(-1) ?? {})
    yield event(words.length, { ...role, choices: [], usage })
    yield 'data: [DONE]\n\n'
  }

  async #acknowledge(body: string): Promise<Response> {
    if (body === '') return refused(400, 'invalid_request')
    const instead = await this.onAcknowledgement?.()
    if (instead !== undefined) return instead
    const jws = await verifyJws(body)
    const claims = acknowledgementClaims.safeParse(jws?.claims).data
    const job = claims && this.#jobs.get(claims.jobId)
    const isRight =
      jws?.type === 'daisi-acknowledgement+jwt' &&
      claims?.aud === this.id &&
      job?.thumbprint === jws.thumbprint
    if (!isRight || claims === undefined || job === undefined) return refused(400, 'invalid_request')
    this.acknowledgements.push(claims)
    job.acknowledged = Math.max(job.acknowledged, claims.generatedTokens)
    job.wake()
    return new Response(null, { status: 204 })
  }
}

async function jobIdOf(headers: Headers): Promise<string> {
  return dpopClaims.parse((await verifyJws(headers.get('dpop') ?? ''))?.claims).jti
}

/** An error of a Host, in OpenAI's shape. */
export function refused(
  status: number,
  code: DirectErrorCode,
  headers: Record<string, string> = {},
): Response {
  return Response.json(
    { error: { message: `about ${code}`, type: 'test_error', code, param: null } },
    { status, headers },
  )
}
