import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import {
  CATALOGUE_PATH,
  type CatalogueEntry,
  decodeFrame,
  decodeUp,
  DISCOVERY_PATH,
  type Down,
  encodeDown,
  enrolRequest,
  type Frame,
  HOST_CHALLENGE_PATH,
  HOST_CONNECT_PATH,
  HOST_ENROL_PATH,
  HOST_PROOF_TYPE,
  HOST_SUBPROTOCOL,
  hostProofClaims,
  hostPublicKey,
  JWKS_PATH,
  MINIMUM_PROTOCOL_VERSION,
  PROTOCOL_VERSION,
  type Run,
  type SessionTokenClaims,
  type Up,
  type Welcome,
} from '@daisi/protocol'
import { calculateJwkThumbprint, EmbeddedJWK, type JWK, jwtVerify } from 'jose'
import { type WebSocket, WebSocketServer } from 'ws'
import { EventQueue } from '../engine/event-queue.ts'
import type { TestCertificate } from './certificate.ts'
import { type FakeAnswer, FakeDeviceLogin } from './fake-device-login.ts'
import { newJobId, TokenSigner, validClaims } from './token-signer.ts'

/** What a Host sent: a control message or a frame. */
export type FromHost = Up | (Frame & { readonly type: 'frame' }) | { readonly type: 'ping' }

/** One connection of a Host to the fake Orc. */
export class FakeConnection {
  readonly hostId: string
  readonly log: FromHost[] = []
  readonly closed: Promise<number>
  readonly #socket: WebSocket
  readonly #received = new EventQueue<FromHost>()
  readonly #iterator = this.#received[Symbol.asyncIterator]()

  constructor(socket: WebSocket, hostId: string) {
    this.#socket = socket
    this.hostId = hostId
    this.closed = new Promise((resolve) => socket.on('close', resolve))
    socket.on('close', () => this.#received.end())
    socket.on('message', (data: Buffer, isBinary: boolean) => this.#received.push(decode(data, isBinary)))
  }

  /** The next message. */
  async message(): Promise<FromHost> {
    const { value } = await this.#iterator.next()
    if (value === undefined) throw new Error('the connection ended')
    return value
  }

  /** The next message of a type; those before it go to `log`. */
  async next<Type extends FromHost['type']>(type: Type): Promise<Extract<FromHost, { type: Type }>> {
    while (true) {
      const { value } = await this.#iterator.next()
      if (value === undefined) throw new Error(`the connection ended without ${type}`)
      this.log.push(value)
      if (value.type === type) return value as Extract<FromHost, { type: Type }>
    }
  }

  send(message: Down): void {
    this.#socket.send(encodeDown(message))
  }

  sendRaw(data: string | Buffer): void {
    this.#socket.send(data)
  }

  close(code: number): void {
    this.#socket.close(code)
  }

  /** Ends without a handshake: the Host sees 1006. */
  drop(): void {
    this.#socket.terminate()
  }
}

/** A small Orc on a loopback port, over the real wire. */
export class FakeOrc {
  /** Signs the tokens of `run`. */
  signer: TokenSigner
  /** What the JWKS has. Undefined: the Orc does not answer for it. */
  publishedKeys: readonly JWK[] | undefined
  readonly requests: string[] = []
  readonly login = new FakeDeviceLogin()
  issuer = 'https://orc.test'
  /** Its clock, in milliseconds since 1970. */
  clockMs: () => number = Date.now
  enrolmentToken = 'enrol-me'
  readonly enrolled = new Set<string>()
  /** What it recommends. Undefined: it has no catalogue. */
  catalogue: readonly CatalogueEntry[] | undefined
  networks: readonly string[] = ['home']
  readonly #server: Server
  #url = ''
  readonly #sockets = new WebSocketServer({ noServer: true, handleProtocols: () => HOST_SUBPROTOCOL })
  readonly #connections = new EventQueue<FakeConnection>()
  readonly #iterator = this.#connections[Symbol.asyncIterator]()

  private constructor(signer: TokenSigner, certificate: TestCertificate | undefined) {
    this.signer = signer
    this.publishedKeys = [signer.publicJwk]
    const listener = (request: IncomingMessage, response: ServerResponse): void =>
      void this.#answer(request, response)
    this.#server = certificate === undefined ? createServer(listener) : createTlsServer(certificate, listener)
    this.#server.on('upgrade', (request, socket, head) => void this.#upgrade(request, socket, head))
  }

  /** With a certificate it speaks TLS. `port` 0 takes a free one. */
  static async start(
    options: {
      readonly certificate?: TestCertificate
      readonly issuer?: string
      readonly port?: number
    } = {},
  ): Promise<FakeOrc> {
    const orc = new FakeOrc(await TokenSigner.create(), options.certificate)
    orc.issuer = options.issuer ?? orc.issuer
    orc.#server.listen(options.port ?? 0, '127.0.0.1')
    await once(orc.#server, 'listening')
    const scheme = options.certificate === undefined ? 'http' : 'https'
    orc.#url = `${scheme}://127.0.0.1:${(orc.#server.address() as AddressInfo).port}`
    return orc
  }

  get url(): string {
    return this.#url
  }

  /** The next connection, before anything was said on it. */
  async connection(): Promise<FakeConnection> {
    const { value } = await this.#iterator.next()
    if (value === undefined) throw new Error('the Orc is closed')
    return value
  }

  /** The next connection, after `hello` and `welcome`. */
  async welcomed(resume: string[] = []): Promise<FakeConnection> {
    const connection = await this.connection()
    await connection.next('hello')
    connection.send(this.welcome(connection.hostId, resume))
    return connection
  }

  welcome(hostId: string, resume: string[] = []): Welcome {
    const protocol = { version: PROTOCOL_VERSION, minimum: MINIMUM_PROTOCOL_VERSION }
    return {
      type: 'welcome',
      protocol,
      hostId,
      alias: 'quiet-fox',
      issuer: this.issuer,
      networks: ['home'],
      resume,
    }
  }

  /** A `run` that a Host accepts, with the given changes. */
  async run(
    hostId: string,
    changes: Partial<Run> = {},
    claims: Partial<SessionTokenClaims> = {},
  ): Promise<Run> {
    const sessionToken = await this.signer.sign({
      ...validClaims(hostId, this.issuer, this.clockMs()),
      ...claims,
    })
    const sampling = { temperature: 0, topP: 1, maxTokens: 20, stop: [] }
    const payload = { messages: [{ role: 'user', content: 'hello' }], sampling }
    const model = { id: 'test-model' }
    return {
      type: 'run',
      jobId: newJobId(),
      kind: 'chat',
      model,
      sessionToken,
      sealed: false,
      payload,
      windowBytes: 65_536,
      ...changes,
    }
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return
    this.#connections.end()
    for (const socket of this.#sockets.clients) socket.terminate()
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const hostId = await this.#identify(request.headers.authorization?.slice('Bearer '.length) ?? '')
    const known = hostId !== undefined && this.enrolled.has(hostId) && request.url === HOST_CONNECT_PATH
    if (!known) socket.end('HTTP/1.1 401 Unauthorized\r\nconnection: close\r\n\r\n')
    else
      this.#sockets.handleUpgrade(request, socket, head, (webSocket) =>
        this.#connections.push(new FakeConnection(webSocket, hostId)),
      )
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests.push(`${request.method} ${request.url}`)
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString()
    const path = request.url ?? ''
    const login = this.login.route(path, this.url, request.headers['content-type'], text)
    const answer = login === 'elsewhere' ? await this.#route(path, text) : login
    if (answer === undefined) return void request.socket.destroy()
    response
      .writeHead(answer.status, {
        'content-type': 'application/json',
        'cache-control': 'no-store',
        date: new Date(this.clockMs()).toUTCString(),
      })
      .end(JSON.stringify(answer.body))
  }

  async #route(path: string, body: string): Promise<FakeAnswer> {
    switch (path) {
      case DISCOVERY_PATH:
        return { status: 200, body: this.#discovery() }
      case JWKS_PATH:
        return this.publishedKeys && { status: 200, body: { keys: this.publishedKeys } }
      case CATALOGUE_PATH:
        if (this.catalogue === undefined) break
        return { status: 200, body: { models: this.catalogue } }
      case HOST_CHALLENGE_PATH:
        return { status: 200, body: { nonce: 'nonce-nonce-nonce', expiresInSeconds: 60 } }
      case HOST_ENROL_PATH: {
        const { token, proof } = enrolRequest.parse(JSON.parse(body))
        const hostId = await this.#identify(proof)
        if (hostId === undefined || (token !== this.enrolmentToken && !this.login.enrols(token, hostId)))
          return { status: 401, body: { error: { message: 'unknown token' } } }
        this.enrolled.add(hostId)
        return { status: 200, body: { hostId, alias: 'quiet-fox', networks: ['home'] } }
      }
      default:
        break
    }
    return { status: 404, body: {} }
  }

  #discovery(): object {
    const endpoints = {
      openai: '/v1',
      sessions: '/v1/sessions',
      host_connect: HOST_CONNECT_PATH,
      host_enrol: HOST_ENROL_PATH,
      jwks: JWKS_PATH,
    }
    const host_protocol = { version: PROTOCOL_VERSION, minimum: MINIMUM_PROTOCOL_VERSION }
    const { issuer, networks } = this
    return { issuer, name: 'fake', version: '0', networks, host_protocol, endpoints }
  }

  /** The Host that signed a proof (C2). */
  async #identify(proof: string): Promise<string | undefined> {
    try {
      const options = { algorithms: ['EdDSA'], typ: HOST_PROOF_TYPE, audience: this.issuer }
      const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, options)
      const { iss } = hostProofClaims.parse(payload)
      return (await calculateJwkThumbprint(hostPublicKey.parse(protectedHeader.jwk))) === iss
        ? iss
        : undefined
    } catch {
      return undefined
    }
  }
}

function decode(data: Buffer, isBinary: boolean): FromHost {
  if (isBinary) {
    const frame = decodeFrame(data)
    if (frame === undefined) throw new Error('the Host sent a broken frame')
    return { type: 'frame', ...frame }
  }
  if (data.toString() === 'ping') return { type: 'ping' }
  const decoded = decodeUp(data.toString())
  if (decoded.kind !== 'message') throw new Error(`the Host sent a ${decoded.kind} message`)
  return decoded.message
}
