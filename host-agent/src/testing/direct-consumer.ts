import { createHash } from 'node:crypto'
import { type IncomingHttpHeaders, type IncomingMessage, request as requestPlain } from 'node:http'
import { request as requestSecure } from 'node:https'
import {
  ACKNOWLEDGEMENT_TYPE,
  type AcknowledgementClaims,
  DIRECT_ACKNOWLEDGE_PATH,
  DIRECT_CHAT_PATH,
  type DpopClaims,
  DPOP_TYPE,
} from '@daisi/protocol'
import { calculateJwkThumbprint, type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import { newJobId } from './token-signer.ts'

/** What a Host answered, as far as it is read. */
export class DirectAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly message: IncomingMessage
  readonly #chunks: AsyncIterator<Buffer>
  #text = ''

  constructor(message: IncomingMessage) {
    this.message = message
    this.status = message.statusCode ?? 0
    this.headers = message.headers
    this.#chunks = message[Symbol.asyncIterator]()
  }

  /** The next event of the stream, comments left out; undefined at its end. */
  async next(): Promise<{ readonly id: number; readonly data: string } | undefined> {
    while (true) {
      const end = this.#text.indexOf('\n\n')
      if (end >= 0) {
        const block = this.#text.slice(0, end)
        this.#text = this.#text.slice(end + 2)
        const [, id, data] = /^id: (\d+)\ndata: (.*)$/.exec(block) ?? []
        if (data !== undefined) return { id: Number(id), data }
        continue
      }
      const chunk = await this.#chunks.next()
      if (chunk.done === true) return undefined
      this.#text += chunk.value.toString('utf8')
    }
  }

  /** The next piece of text, with the number of tokens up to it. */
  async text(): Promise<{ readonly id: number; readonly text: string }> {
    const event = await this.next()
    if (event === undefined) throw new Error('the stream ended')
    const { choices } = JSON.parse(event.data) as { choices?: [{ delta: { content?: string } }] }
    const text = choices?.[0].delta.content
    if (text === undefined) throw new Error(`no text in ${event.data}`)
    return { id: event.id, text }
  }

  /** The rest of the body. */
  async rest(): Promise<string> {
    while (true) {
      const chunk = await this.#chunks.next()
      if (chunk.done === true) return this.#text
      this.#text += chunk.value.toString('utf8')
    }
  }

  async errorCode(): Promise<string> {
    const { error } = JSON.parse(await this.rest()) as { error: { code: string } }
    return error.code
  }

  leave(): void {
    this.message.destroy()
  }
}

/** What may differ from a proof that a Host accepts. */
export interface ProofChanges {
  readonly claims?: Partial<Record<keyof DpopClaims, unknown>>
  readonly header?: Record<string, unknown>
  /** Whose key signs, while the header still names this one's. */
  readonly signer?: DirectConsumer
}

export interface RequestChanges {
  readonly method?: string
  readonly path?: string
  readonly body?: string | Buffer
  readonly headers?: Record<string, string>
}

/** A Consumer with its own key that connects to a Host directly. */
export class DirectConsumer {
  readonly publicJwk: JWK
  readonly thumbprint: string
  readonly #privateKey: CryptoKey
  endpoint = ''
  /** Certificate to trust, in PEM. */
  certificate: string | undefined
  now: () => number = Date.now

  private constructor(publicJwk: JWK, thumbprint: string, privateKey: CryptoKey) {
    this.publicJwk = publicJwk
    this.thumbprint = thumbprint
    this.#privateKey = privateKey
  }

  static async create(): Promise<DirectConsumer> {
    const { publicKey, privateKey } = await generateKeyPair('Ed25519', { extractable: true })
    const { kty, crv, x } = await exportJWK(publicKey)
    const jwk = { kty, crv, x } as JWK
    return new DirectConsumer(jwk, await calculateJwkThumbprint(jwk), privateKey)
  }

  sign(claims: object, header: Record<string, unknown>, jwk: unknown = this.publicJwk): Promise<string> {
    const full = { alg: 'EdDSA', jwk, ...header } as { alg: string }
    return new SignJWT({ ...claims }).setProtectedHeader(full).sign(this.#privateKey)
  }

  proof(
    token: string,
    body: string | Buffer,
    { claims, header, signer = this }: ProofChanges = {},
  ): Promise<string> {
    const all = {
      jti: newJobId(),
      htm: 'POST',
      htu: this.endpoint + DIRECT_CHAT_PATH,
      iat: Math.floor(this.now() / 1000),
      ath: sha256(token),
      body: sha256(body),
      ...claims,
    }
    return signer.sign(all, { typ: DPOP_TYPE, ...header }, this.publicJwk)
  }

  /** Sends a chat with a proof that counts, but for the changes. */
  async chat(
    token: string,
    body: string,
    changes: ProofChanges & RequestChanges = {},
  ): Promise<DirectAnswer> {
    const proof = await this.proof(token, body, changes)
    return this.send({
      body: changes.body ?? body,
      ...changes,
      headers: {
        authorization: `DPoP ${token}`,
        'content-type': 'application/json',
        dpop: proof,
        ...changes.headers,
      },
    })
  }

  acknowledgement(
    claims: Omit<AcknowledgementClaims, 'iat'>,
    header: Record<string, unknown> = {},
  ): Promise<string> {
    return this.sign(
      { iat: Math.floor(this.now() / 1000), ...claims },
      { typ: ACKNOWLEDGEMENT_TYPE, ...header },
    )
  }

  async acknowledge(claims: Omit<AcknowledgementClaims, 'iat'>): Promise<DirectAnswer> {
    return this.sendAcknowledgement(await this.acknowledgement(claims))
  }

  sendAcknowledgement(jws: string): Promise<DirectAnswer> {
    return this.send({ path: DIRECT_ACKNOWLEDGE_PATH, body: jws, headers: { 'content-type': 'text/plain' } })
  }

  send({ method = 'POST', path = DIRECT_CHAT_PATH, body, headers }: RequestChanges): Promise<DirectAnswer> {
    const url = this.endpoint + path
    const options = { method, headers, agent: false as const, ca: this.certificate }
    return new Promise((resolve, reject) => {
      const outgoing = url.startsWith('https:') ? requestSecure(url, options) : requestPlain(url, options)
      outgoing.on('response', (message) => resolve(new DirectAnswer(message)))
      outgoing.on('error', reject)
      outgoing.end(body)
    })
  }
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('base64url')
}
