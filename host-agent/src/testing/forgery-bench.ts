import { generateKeyPairSync, type KeyObject, sign as signBytes } from 'node:crypto'
import { SESSION_TOKEN_TYPE } from '@daisi/protocol'
import { expect } from 'vitest'
import { JwksSource } from '../tokens/jwks-source.ts'
import {
  type TokenExpectation,
  type TokenVerdict,
  verifySessionToken,
} from '../tokens/verify-session-token.ts'
import { ManualClock } from './manual-clock.ts'
import { validClaims } from './token-signer.ts'

export const hostId = 'h'.repeat(43)
const issuer = 'https://orc.test'
export const nowMs = 1_800_000_000_000
export const nowSeconds = nowMs / 1000

/** What the honest Orc would sign. */
export const claims = validClaims(hostId, issuer, nowMs)
export const honestHeader = { alg: 'Ed25519', typ: SESSION_TOKEN_TYPE, kid: 'key-1' }

export function publicJwk(key: KeyObject, kid: string) {
  const jwk = key.export({ format: 'jwk' })
  return { ...jwk, kty: jwk.kty ?? '', kid, use: 'sig' }
}

export function encode(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
}

/**
 * A Host that trusts one key of one Orc, and tokens to offer it. They are made by hand, so that no library stands between
 * the attack and what it attacks.
 */
export class ForgeryBench {
  readonly orc = generateKeyPairSync('ed25519')
  readonly stranger = generateKeyPairSync('ed25519')
  /** Another key that the Orc publishes, for something else. */
  readonly curve = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  /** How often the Host asked for keys. */
  fetches = 0
  readonly #source: JwksSource

  constructor() {
    const keys = {
      keys: [publicJwk(this.orc.publicKey, honestHeader.kid), publicJwk(this.curve.publicKey, 'curve')],
    }
    this.#source = new JwksSource({
      clock: new ManualClock(nowMs),
      stored: keys,
      fetchKeys: async () => {
        this.fetches++
        return keys
      },
      store: async () => {},
    })
  }

  /** A compact JWS of exactly this header and payload, signed by the Orc unless told otherwise. */
  forge(header: object | string, payload: object | string, key: KeyObject = this.orc.privateKey): string {
    const input = `${encode(header)}.${encode(payload)}`
    return `${input}.${signBytes(null, Buffer.from(input), key).toString('base64url')}`
  }

  verify(token: string, changes: Partial<TokenExpectation> = {}): Promise<TokenVerdict> {
    return verifySessionToken(token, {
      issuer,
      hostId,
      networks: ['home'],
      mode: 'orchestrated',
      getKey: this.#source.getKey,
      nowMs,
      ...changes,
    })
  }

  async expectInvalid(token: string, changes: Partial<TokenExpectation> = {}): Promise<void> {
    expect(await this.verify(token, changes)).toMatchObject({ ok: false, code: 'token_invalid' })
  }
}
