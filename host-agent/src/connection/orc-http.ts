import {
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

/** An answer that takes longer counts as none. */
export const HTTP_TIMEOUT_MS = 10_000

/** The Orc answered with an error. `message` is its own text. */
export class OrcHttpError extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

const errorBody = z.object({ error: z.object({ message: z.string() }) })

/** The few HTTP calls that a Host makes. Each rejects with `OrcHttpError`, or with the network's error. */
export class OrcHttp {
  readonly #url: string

  /** `url` is the Orc's address, without a slash at its end. */
  constructor(url: string) {
    this.#url = url
  }

  discover(signal: AbortSignal): Promise<Discovery> {
    return this.#request(DISCOVERY_PATH, discovery, signal)
  }

  keys(signal: AbortSignal): Promise<StoredKeySet> {
    return this.#request(JWKS_PATH, jsonWebKeySet, signal)
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
    const response = await fetch(this.#url + path, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(HTTP_TIMEOUT_MS)]),
      redirect: 'error',
      ...(body !== undefined && {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    })
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
}
