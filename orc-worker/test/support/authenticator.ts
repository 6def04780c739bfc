import type { PasskeyAssertion, PasskeyOptions, PasskeyRegistration } from '@daisi/protocol'
import { base64UrlDecode, base64UrlEncode } from '../../src/domain/base64url.ts'

/** What a test bends about an answer. */
export interface Bent {
  readonly origin?: string
  readonly rpId?: string
  readonly challenge?: string
  readonly type?: string
  /** Whether the device made sure who its user is. */
  readonly userVerified?: boolean
  readonly counter?: number
  readonly userHandle?: string
  /** `self`: `packed`, signed by the new passkey itself. */
  readonly format?: 'none' | 'self' | 'packed' | 'tpm'
}

type Cbor = number | string | Uint8Array | readonly Cbor[] | ReadonlyMap<number | string, Cbor>

const encoder = new TextEncoder()

/** An authenticator in software, with one resident Ed25519 credential. It follows WebAuthn §6 where a test does not bend it. */
export class Authenticator {
  readonly credentialId = base64UrlEncode(crypto.getRandomValues(new Uint8Array(16)))
  counter = 0
  readonly #keys: CryptoKeyPair
  #userHandle = ''

  private constructor(keys: CryptoKeyPair) {
    this.#keys = keys
  }

  static async make(): Promise<Authenticator> {
    const keys = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])
    if (!('privateKey' in keys)) throw new Error('no key pair')
    return new Authenticator(keys)
  }

  /** Answers `navigator.credentials.create`. */
  async register({ options }: PasskeyOptions, bent: Bent = {}): Promise<PasskeyRegistration> {
    const { user, rp } = options as unknown as { user: { id: string }; rp: { id: string } }
    this.#userHandle = user.id
    const clientData = this.#clientData('webauthn.create', options.challenge, bent)
    const id = base64UrlDecode(this.credentialId)!
    const raw = await crypto.subtle.exportKey('raw', this.#keys.publicKey)
    if (!(raw instanceof ArrayBuffer)) throw new Error('no raw key')
    const publicKey = cbor(
      new Map<number, Cbor>([
        [1, 1],
        [3, -8],
        [-1, 6],
        [-2, new Uint8Array(raw)],
      ]),
    )
    const attested = join(new Uint8Array(16), Uint8Array.of(id.length >> 8, id.length & 255), id, publicKey)
    const authData = await this.#authData(rp.id, 0x40, bent, attested)
    const statement = await this.#statement(authData, clientData, bent.format ?? 'none')
    const attestationObject = cbor(
      new Map<string, Cbor>([
        ['fmt', bent.format === 'self' ? 'packed' : (bent.format ?? 'none')],
        ['attStmt', statement],
        ['authData', authData],
      ]),
    )
    const response = {
      clientDataJSON: base64UrlEncode(clientData),
      attestationObject: base64UrlEncode(attestationObject),
      transports: ['internal'],
    }
    return { id: this.credentialId, rawId: this.credentialId, type: 'public-key', response }
  }

  /** Answers `navigator.credentials.get`. */
  async logIn({ options }: PasskeyOptions, bent: Bent = {}): Promise<PasskeyAssertion> {
    const { rpId } = options as unknown as { rpId: string }
    this.counter = bent.counter ?? this.counter + 1
    const clientData = this.#clientData('webauthn.get', options.challenge, bent)
    const authData = await this.#authData(rpId, 0, { ...bent, counter: this.counter }, new Uint8Array())
    const signature = await this.#sign(authData, clientData)
    const response = {
      clientDataJSON: base64UrlEncode(clientData),
      authenticatorData: base64UrlEncode(authData),
      signature: base64UrlEncode(signature),
      userHandle: bent.userHandle ?? this.#userHandle,
    }
    return { id: this.credentialId, rawId: this.credentialId, type: 'public-key', response }
  }

  #clientData(type: string, challenge: string, bent: Bent): Uint8Array {
    const data = {
      type: bent.type ?? type,
      challenge: bent.challenge ?? challenge,
      origin: bent.origin ?? 'https://orc.test',
      crossOrigin: false,
    }
    return encoder.encode(JSON.stringify(data))
  }

  async #authData(rpId: string, flags: number, bent: Bent, attested: Uint8Array): Promise<Uint8Array> {
    const rpIdHash = await sha256(encoder.encode(bent.rpId ?? rpId))
    const seen = 0x01 | (bent.userVerified === false ? 0 : 0x04)
    const counter = new DataView(new ArrayBuffer(4))
    counter.setUint32(0, bent.counter ?? this.counter)
    return join(rpIdHash, Uint8Array.of(flags | seen), new Uint8Array(counter.buffer), attested)
  }

  async #statement(authData: Uint8Array, clientData: Uint8Array, format: string): Promise<Cbor> {
    if (format === 'none') return new Map()
    const sig = await this.#sign(authData, clientData)
    const signed: [string, Cbor][] = [
      ['alg', -8],
      ['sig', sig],
    ]
    if (format === 'self') return new Map(signed)
    // A certificate that nobody could read: whoever looks at it has gone too far.
    return new Map<string, Cbor>([...signed, ['x5c', [encoder.encode('a certificate')]]])
  }

  async #sign(authData: Uint8Array, clientData: Uint8Array): Promise<Uint8Array> {
    const signed = join(authData, await sha256(clientData))
    return new Uint8Array(await crypto.subtle.sign('Ed25519', this.#keys.privateKey, signed))
  }
}

async function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
}

function join(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(parts.flatMap((part) => [...part]))
}

/** The part of CBOR (RFC 8949) that WebAuthn uses. */
function cbor(value: Cbor): Uint8Array {
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value)
  if (typeof value === 'string') return join(head(3, encoder.encode(value).length), encoder.encode(value))
  if (value instanceof Uint8Array) return join(head(2, value.length), value)
  if (value instanceof Map) {
    return join(head(5, value.size), ...[...value].flatMap(([key, item]) => [cbor(key), cbor(item)]))
  }
  return join(head(4, (value as readonly Cbor[]).length), ...(value as readonly Cbor[]).map(cbor))
}

function head(major: number, count: number): Uint8Array {
  if (count < 24) return Uint8Array.of((major << 5) | count)
  if (count < 256) return Uint8Array.of((major << 5) | 24, count)
  return Uint8Array.of((major << 5) | 25, count >> 8, count & 255)
}
