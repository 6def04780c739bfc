import {
  type Catalogue,
  catalogue,
  CATALOGUE_PATH,
  type ChallengeResponse,
  challengeResponse,
  type Discovery,
  discovery,
  DISCOVERY_PATH,
  type EnrolResponse,
  enrolResponse,
  HOST_CHALLENGE_PATH,
  HOST_ENROL_PATH,
  JWKS_PATH,
} from '@daisi/protocol'
import * as z from 'zod'
import { jsonWebKeySet, type StoredKeySet } from '../state/orc-record.ts'
import type { OrcTransport } from './orc-transport.ts'

/** The Orc answered with an error. `message` is its own text. */
export class OrcHttpError extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** Clocks that differ by less are taken to agree. */
const SMALLEST_SKEW_MS = 5_000

const errorBody = z.object({ error: z.object({ message: z.string() }) })

/** The few HTTP calls that a Host makes. Each rejects with `OrcHttpError`, or as `OrcTransport.fetch` does. */
export class OrcHttp {
  readonly #transport: OrcTransport
  #clockSkewMs = 0

  constructor(transport: OrcTransport) {
    this.#transport = transport
  }

  /** How far the Orc's clock is ahead of this machine's, by the `Date` of its last answer (RFC 9110 §6.6.1); 0 if they agree. */
  get clockSkewMs(): number {
    return this.#clockSkewMs
  }

  discover(signal: AbortSignal): Promise<Discovery> {
    return this.#request(DISCOVERY_PATH, discovery, signal)
  }

  keys(signal: AbortSignal): Promise<StoredKeySet> {
    return this.#request(JWKS_PATH, jsonWebKeySet, signal)
  }

  /** The models that the Orc's operator recommends. */
  catalogue(signal: AbortSignal): Promise<Catalogue> {
    return this.#request(CATALOGUE_PATH, catalogue, signal)
  }

  challenge(signal: AbortSignal): Promise<ChallengeResponse> {
    return this.#request(HOST_CHALLENGE_PATH, challengeResponse, signal, {})
  }

  enrol(token: string, proof: string, name: string | undefined, signal: AbortSignal): Promise<EnrolResponse> {
    const body = { token, proof, ...(name !== undefined && { name }) }
    return this.#request(HOST_ENROL_PATH, enrolResponse, signal, body)
  }

  /** GET, or POST if there is a body. */
  async #request<Value>(
    path: string,
    schema: z.ZodType<Value>,
    signal: AbortSignal,
    body?: object,
  ): Promise<Value> {
    const askedAt = Date.now()
    const response = await this.#transport.fetch(this.#transport.url + path, {
      signal,
      redirect: 'error',
      ...(body !== undefined && {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    })
    this.#compareClocks(response.headers.get('date'), askedAt, Date.now())
    const answer: unknown = await response.json().catch(() => undefined)
    if (!response.ok) {
      const message = errorBody.safeParse(answer).data?.error.message ?? `HTTP ${response.status}`
      throw new OrcHttpError(response.status, message)
    }
    const parsed = schema.safeParse(answer)
    if (!parsed.success)
      throw new Error(`${path} did not answer as an Orc does; check the address given with --orc`)
    return parsed.data
  }

  /** The header has whole seconds, and an answer takes its time: small differences are none. */
  #compareClocks(date: string | null, askedAt: number, answeredAt: number): void {
    const theirs = Date.parse(date ?? '')
    if (Number.isNaN(theirs)) return
    const skewMs = Math.round(theirs + 500 - (askedAt + answeredAt) / 2)
    this.#clockSkewMs = Math.abs(skewMs) < SMALLEST_SKEW_MS + (answeredAt - askedAt) ? 0 : skewMs
  }
}
