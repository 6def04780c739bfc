import { randomBytes } from 'node:crypto'
import { SESSION_TOKEN_TYPE, type SessionTokenClaims } from '@daisi/protocol'
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'

/** A fresh job id. */
export function newJobId(): string {
  return `job_${randomBytes(16).toString('hex')}`
}

/** Plays the Orc's signing key. */
export class TokenSigner {
  readonly keyId: string
  readonly publicJwk: JWK
  readonly #privateKey: CryptoKey

  private constructor(keyId: string, publicJwk: JWK, privateKey: CryptoKey) {
    this.keyId = keyId
    this.publicJwk = publicJwk
    this.#privateKey = privateKey
  }

  static async create(keyId = 'key-1'): Promise<TokenSigner> {
    const { publicKey, privateKey } = await generateKeyPair('Ed25519', { extractable: true })
    return new TokenSigner(keyId, { ...(await exportJWK(publicKey)), kid: keyId, use: 'sig' }, privateKey)
  }

  sign(claims: Partial<SessionTokenClaims>, header: { alg?: string; typ?: string } = {}): Promise<string> {
    return new SignJWT(claims)
      .setProtectedHeader({ alg: 'Ed25519', typ: SESSION_TOKEN_TYPE, kid: this.keyId, ...header })
      .sign(this.#privateKey)
  }
}

/** Claims that a Host accepts, made at `nowMs`. */
export function validClaims(hostId: string, issuer: string, nowMs: number): SessionTokenClaims {
  const iat = Math.floor(nowMs / 1000)
  return {
    iss: issuer,
    aud: hostId,
    sub: 'pseudonym',
    sid: `ses_${randomBytes(16).toString('hex')}`,
    jti: randomBytes(8).toString('hex'),
    iat,
    exp: iat + 300,
    net: 'home',
    mode: 'orchestrated',
    budget: 10_000,
  }
}
