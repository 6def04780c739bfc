import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import type { DirectGrant, Session } from '@daisi/protocol/consumer'
import { Daisi, type Fetch } from 'daisi-sdk'
import { connectDirect, type DirectConnection, type DirectOptions } from 'daisi-sdk/direct'
import type { Host } from './host.ts'
import type { Consumer, HostOptions, Network } from './network.ts'
import { RecordingProxy } from './recording-proxy.ts'

/** A Host that Consumers connect to, and the way to it. */
export interface DirectHost {
  readonly host: Host
  readonly way: RecordingProxy
  /** As its command line says it. */
  readonly args: readonly string[]
}

/** Starts a Host that listens on loopback; what Consumers send it, and are sent, is recorded. */
export async function startDirectHost(network: Network, options: HostOptions = {}): Promise<DirectHost> {
  const port = await freePort()
  const way = await RecordingProxy.start(port)
  const args = ['--direct', `127.0.0.1:${port}`, '--direct-url', way.url, ...(options.args ?? [])]
  return { host: await network.startedHost({ ...options, args }), way, args }
}

/** A port that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** A Direct Connection, and what the Orc answered for it. */
export interface OpenConnection {
  readonly direct: DirectConnection
  /** Answers to requests for a Session or a further Host, oldest first. */
  readonly answers: readonly Session[]
  /** What its Session paid, once everything reported is settled (rule S3). */
  readonly paid: () => Promise<number>
}

/** Connects as an app does that uses the SDK. */
export async function openConnection(
  network: Network,
  { key }: Consumer,
  options: DirectOptions,
): Promise<OpenConnection> {
  const answers: Session[] = []
  const fetch: Fetch = async (url, init) => {
    const response = await globalThis.fetch(url, init)
    if (response.status === 201 && url.endsWith('/v1/sessions')) answers.push(await response.clone().json())
    return response
  }
  const daisi = new Daisi({ baseURL: `${network.url}/v1`, apiKey: key.key, maxRetries: 0, fetch })
  const direct = await connectDirect(daisi, options)
  const paid = async (): Promise<number> => {
    const { usage } = await daisi.sessions.get(answers[0]?.id ?? '')
    return usage.credits
  }
  return { direct, answers, paid }
}

/** What may differ from a request that a Host accepts. */
export interface RequestChanges {
  readonly scheme?: string
  readonly proof?: string
}

/** A Consumer that speaks to a Host without the SDK, with a key of its own. */
export class RawConsumer {
  readonly jwk: { readonly kty: 'OKP'; readonly crv: 'Ed25519'; readonly x: string }
  readonly #privateKey: KeyObject

  constructor() {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    this.jwk = { kty: 'OKP', crv: 'Ed25519', x: publicKey.export({ format: 'jwk' }).x ?? '' }
    this.#privateKey = privateKey
  }

  /** Opens a Session of mode `direct`. */
  async open(network: Network, { key }: Consumer, model: string): Promise<Session & { direct: DirectGrant }> {
    const response = await fetch(`${network.url}/v1/sessions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ mode: 'direct', direct: { model, key: this.jwk } }),
    })
    if (response.status !== 201) throw new Error(await response.text())
    return response.json() as Promise<Session & { direct: DirectGrant }>
  }

  /** The proof of one request (RFC 9449 §4.2). */
  proof({ endpoint, token }: DirectGrant, body: string): string {
    const claims = {
      jti: `job_${randomBytes(16).toString('hex')}`,
      htm: 'POST',
      htu: `${endpoint}/v1/chat/completions`,
      iat: Math.floor(Date.now() / 1000),
      ath: sha256(token),
      body: sha256(body),
    }
    const parts = [{ alg: 'EdDSA', typ: 'dpop+jwt', jwk: this.jwk }, claims].map((part) =>
      Buffer.from(JSON.stringify(part)).toString('base64url'),
    )
    const signed = parts.join('.')
    return `${signed}.${sign(null, Buffer.from(signed), this.#privateKey).toString('base64url')}`
  }

  /** Asks a Host. */
  chat(grant: DirectGrant, { scheme = 'DPoP', proof }: RequestChanges = {}): Promise<Response> {
    const body = chatBody(grant.model)
    return fetch(`${grant.endpoint}/v1/chat/completions`, {
      method: 'POST',
      headers: {
        authorization: `${scheme} ${grant.token}`,
        'content-type': 'application/json',
        dpop: proof ?? this.proof(grant, body),
      },
      body,
    })
  }
}

/** A small request. */
export function chatBody(model: string): string {
  const messages = [{ role: 'user', content: 'Hello' }]
  return JSON.stringify({ model, messages, temperature: 0, max_tokens: 4, stream: true })
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}
