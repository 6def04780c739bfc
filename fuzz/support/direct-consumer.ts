import { type JsonWebKey, type KeyObject, generateKeyPairSync, sign } from 'node:crypto'
import { ACKNOWLEDGEMENT_TYPE, type DirectGrant } from '../../protocol/src/index.ts'
import type { Grant } from './frame-input.ts'

/** Small, since all of it is held until the token is over. */
const GRANT_TOKENS = 2_000

/** A grant, with the Host it is for. */
export interface HeldGrant extends Grant {
  readonly hostId: string
  readonly endpoint: string
}

/** A Consumer of Direct Connections: its key pair, and what it signs. */
export class DirectConsumer {
  readonly #url: string
  readonly #key: string
  readonly #privateKey: KeyObject
  readonly #jwk: JsonWebKey

  constructor(url: string, key: string) {
    this.#url = url
    this.#key = key
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    const { kty, crv, x } = publicKey.export({ format: 'jwk' })
    this.#privateKey = privateKey
    this.#jwk = { kty, crv, x } as JsonWebKey
  }

  /** A token for a Host that serves the model, or undefined if there is none now. */
  async grant(model: string): Promise<HeldGrant | undefined> {
    const response = await fetch(new URL('/v1/sessions', this.#url), {
      method: 'POST',
      headers: { authorization: `Bearer ${this.#key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ mode: 'direct', direct: { model, key: this.#jwk, budget: GRANT_TOKENS } }),
    }).catch(() => undefined)
    if (response === undefined || !response.ok) {
      await response?.body?.cancel()
      return undefined
    }
    const { direct } = (await response.json()) as { direct?: DirectGrant }
    if (direct === undefined) return undefined
    return {
      token: direct.token,
      sessionId: direct.session_id,
      hostId: direct.host_id,
      endpoint: direct.endpoint,
      acknowledge: (claims) => this.sign(claims, ACKNOWLEDGEMENT_TYPE),
    }
  }

  /** A compact JWS (RFC 7515 §7.1) of the claims, whatever they are, with the public key in its header. */
  sign(claims: unknown, typ: string): string {
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const signed = `${part({ alg: 'EdDSA', typ, jwk: this.#jwk })}.${part(claims)}`
    return `${signed}.${sign(null, Buffer.from(signed), this.#privateKey).toString('base64url')}`
  }
}
