import type { DirectRequest } from '@daisi/protocol/consumer'

const encoder = new TextEncoder()

/** The Consumer's key pair of one Direct Connection: an Ed25519 pair whose private half nobody can read. */
export class ConsumerKey {
  /** The public half (RFC 8037). */
  readonly jwk: DirectRequest['key']
  readonly #privateKey: CryptoKey

  private constructor(jwk: DirectRequest['key'], privateKey: CryptoKey) {
    this.jwk = jwk
    this.#privateKey = privateKey
  }

  /** Throws the platform's error where it has no Ed25519, and in pages that are no secure context. */
  static async generate(): Promise<ConsumerKey> {
    const { privateKey, publicKey } = await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify'])
    const x = base64url(new Uint8Array(await crypto.subtle.exportKey('raw', publicKey)))
    return new ConsumerKey({ kty: 'OKP', crv: 'Ed25519', x }, privateKey)
  }

  /** A compact JWS (RFC 7515) of these claims, with the public key in its header. */
  async sign(type: string, claims: object): Promise<string> {
    const header = { alg: 'EdDSA', typ: type, jwk: this.jwk }
    const input = [header, claims].map((part) => base64url(encoder.encode(JSON.stringify(part)))).join('.')
    const signature = await crypto.subtle.sign('Ed25519', this.#privateKey, encoder.encode(input))
    return `${input}.${base64url(new Uint8Array(signature))}`
  }
}

/** SHA-256 of a text in UTF-8, base64url. */
export async function sha256(text: string): Promise<string> {
  return base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', encoder.encode(text))))
}

/** Bytes of a text in UTF-8. */
export function utf8Length(text: string): number {
  return encoder.encode(text).length
}

function base64url(bytes: Uint8Array): string {
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}
