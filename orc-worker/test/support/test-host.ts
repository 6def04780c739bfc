import {
  type DirectOffer,
  type Down,
  HOST_CHALLENGE_PATH,
  HOST_CONNECT_PATH,
  HOST_ENROL_PATH,
  HOST_PROOF_TYPE,
  HOST_SUBPROTOCOL,
  type FinishReason,
  type Hello,
  type JobUsage,
  type ModelOffer,
  type OutputPart,
  PROTOCOL_VERSION,
  type ProofPurpose,
  RECEIPT_TYPE,
  type Run,
  type Up,
  type Welcome,
  decodeDown,
  encodeFrame,
  partsFrame,
  textFrame,
  encodeUp,
} from '@daisi/protocol'
import { type JWK, SignJWT, calculateJwkThumbprint, decodeJwt, exportJWK, generateKeyPair } from 'jose'
import { call } from './orc.ts'

/** The model file that every Host of the tests serves. */
const MODEL_SHA256 = 'a'.repeat(64)

/** A Host's key pair. */
export interface HostKeys {
  readonly id: string
  readonly publicJwk: JWK
  readonly privateKey: CryptoKey
}

export async function newHostKeys(): Promise<HostKeys> {
  const { publicKey, privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true })
  const { kty, crv, x } = await exportJWK(publicKey)
  const publicJwk = { kty, crv, x } as JWK
  return { id: await calculateJwkThumbprint(publicJwk), publicJwk, privateKey }
}

async function issuer(): Promise<string> {
  const description = await call('GET', '/.well-known/daisi').then((response) =>
    response.json<{ issuer: string }>(),
  )
  return description.issuer
}

/** A proof as C2 describes it; `overrides` make it wrong. */
export async function proofOf(
  keys: HostKeys,
  overrides: {
    nonce?: string
    audience?: string
    issuer?: string
    origin?: string
    purpose?: ProofPurpose
  } = {},
): Promise<string> {
  const fresh = async (): Promise<string> => {
    const response = await call('POST', HOST_CHALLENGE_PATH)
    return (await response.json<{ nonce: string }>()).nonce
  }
  const { origin = 'orc.test', purpose = 'connect' } = overrides
  return new SignJWT({ nonce: overrides.nonce ?? (await fresh()), origin, purpose })
    .setProtectedHeader({ alg: 'EdDSA', typ: HOST_PROOF_TYPE, jwk: keys.publicJwk })
    .setIssuer(overrides.issuer ?? keys.id)
    .setAudience(overrides.audience ?? (await issuer()))
    .setIssuedAt()
    .sign(keys.privateKey)
}

export async function enrol(keys: HostKeys, token: string): Promise<Response> {
  return call('POST', HOST_ENROL_PATH, { body: { token, proof: await proofOf(keys, { purpose: 'enrol' }) } })
}

export function upgrade(proof: string): Promise<Response> {
  const headers = { upgrade: 'websocket', 'sec-websocket-protocol': HOST_SUBPROTOCOL }
  return call('GET', HOST_CONNECT_PATH, { token: proof, headers })
}

/** What a Host says of itself. */
export interface HostHabits {
  readonly model?: string
  readonly slots?: number
  readonly direct?: DirectOffer
  /** What differs about its one model. */
  readonly offer?: Partial<ModelOffer>
  /** What differs about its hello. */
  readonly hello?: Partial<Omit<Hello, 'type'>>
}

/** A Host that speaks the real wire and does as the test says. Messages wait in a queue, so that no test sleeps. */
export class TestHost {
  readonly keys: HostKeys
  readonly closed: Promise<{ code: number; reason: string }>
  readonly #socket: WebSocket
  readonly #messages: Down[] = []
  #welcome: Welcome | undefined
  #wake: (() => void) | undefined
  #onText: ((text: string) => void) | undefined

  constructor(keys: HostKeys, socket: WebSocket) {
    this.keys = keys
    this.#socket = socket
    const { promise, resolve } = Promise.withResolvers<{ code: number; reason: string }>()
    this.closed = promise
    socket.addEventListener('close', ({ code, reason }) => resolve({ code, reason }))
    socket.addEventListener('message', ({ data }) => {
      if (data === 'pong') return this.#onText?.(data)
      const decoded = decodeDown(String(data))
      if (decoded.kind !== 'message') throw new Error(`the Orc sent ${String(data).slice(0, 200)}`)
      this.#messages.push(decoded.message)
      this.#wake?.()
    })
    socket.accept()
  }

  /** Connects an enrolled key and says hello. */
  static async connect(keys: HostKeys, options: HostHabits = {}): Promise<TestHost> {
    const response = await upgrade(await proofOf(keys))
    if (response.webSocket === null) throw new Error(`${response.status} ${await response.text()}`)
    const host = new TestHost(keys, response.webSocket)
    const slots = options.slots ?? 4
    host.send({
      type: 'hello',
      protocol: { version: PROTOCOL_VERSION, minimum: PROTOCOL_VERSION },
      agent: { name: 'test-host', version: '0' },
      models: [
        {
          id: options.model ?? 'test-model',
          sha256: MODEL_SHA256,
          contextLength: 2048,
          kinds: ['chat'],
          capabilities: [],
          ...options.offer,
        },
      ],
      slots: { total: slots, free: slots, queue: 4 },
      accepting: true,
      ...(options.direct && { direct: options.direct }),
      running: [],
      ...options.hello,
    })
    host.#welcome = await host.receive('welcome')
    return host
  }

  /** What the Orc answered to hello. */
  get welcome(): Welcome {
    if (this.#welcome === undefined) throw new Error('not welcomed')
    return this.#welcome
  }

  send(message: Up): void {
    this.#socket.send(encodeUp(message))
  }
  sendRaw(data: string | ArrayBuffer | Uint8Array): void {
    this.#socket.send(data)
  }
  /** Listens for the answer to `ping`. */
  onText(listener: (text: string) => void): void {
    this.#onText = listener
  }
  sendFrame(jobId: string, sequence: number, text: string, tokens = 1): void {
    this.#socket.send(
      encodeFrame(
        textFrame({ jobId, sequence, text, tokenIds: Array.from({ length: tokens }, (_, id) => id) }),
      ),
    )
  }

  /** A frame of parts, with so many tokens. */
  sendParts(jobId: string, sequence: number, parts: readonly OutputPart[], tokens = 1): void {
    const tokenIds = Array.from({ length: tokens }, (_, id) => id)
    this.#socket.send(encodeFrame(partsFrame({ jobId, sequence, parts, tokenIds, tokenCount: tokens })))
  }
  /** A whole result in one frame. */
  sendResult(jobId: string, sequence: number, text: string, tokenCount: number): void {
    this.#socket.send(encodeFrame({ kind: 'result', jobId, sequence, text, tokenCount, last: true }))
  }

  /** The next message of this type; earlier ones of other types are an error. */
  async receive<Type extends Down['type']>(type: Type): Promise<Extract<Down, { type: Type }>> {
    while (this.#messages.length === 0) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#wake = resolve
      await promise
    }
    const message = this.#messages.shift()
    if (message?.type !== type) throw new Error(`expected ${type}, got ${JSON.stringify(message)}`)
    return message as Extract<Down, { type: Type }>
  }

  accept(run: Run, promptTokens = 10, cachedTokens = 0): void {
    this.send({ type: 'accepted', jobId: run.jobId, promptTokens, cachedTokens })
  }

  async end(
    run: Run,
    usage: JobUsage,
    options: {
      outcome?: 'completed' | 'cancelled' | 'failed'
      finishReason?: FinishReason
      receipt?: string
    } = {},
  ): Promise<void> {
    const outcome = options.outcome ?? 'completed'
    this.send({
      type: 'job-end',
      jobId: run.jobId,
      outcome,
      ...(outcome === 'completed' ? { finishReason: options.finishReason ?? 'stop' } : {}),
      ...(outcome === 'failed' ? { error: { code: 'engine_failed', message: 'it broke' } } : {}),
      usage,
      receipt: options.receipt ?? (await this.receipt(run, usage)),
    })
  }

  /** A receipt as R1 describes it; another signer or `overrides` make it wrong. */
  async receipt(
    run: Pick<Run, 'jobId' | 'sessionToken'>,
    usage: JobUsage,
    signer: HostKeys = this.keys,
    overrides: { modelSha256?: string; endedAt?: number } = {},
  ): Promise<string> {
    const token = decodeJwt(run.sessionToken)
    const { modelSha256 = MODEL_SHA256, endedAt = Date.now() } = overrides
    const times = { startedAt: endedAt - 1, endedAt }
    return new SignJWT({ jobId: run.jobId, sid: token['sid'], modelSha256, ...usage, ...times })
      .setProtectedHeader({ alg: 'EdDSA', typ: RECEIPT_TYPE })
      .setIssuer(this.keys.id)
      .setAudience(String(token.iss))
      .sign(signer.privateKey)
  }

  /** Answers one Job with these texts, one token and one frame each. */
  async serve(texts: string[], promptTokens = 10, cachedTokens = 0): Promise<Run> {
    const run = await this.receive('run')
    this.accept(run, promptTokens, cachedTokens)
    for (const [sequence, text] of texts.entries()) this.sendFrame(run.jobId, sequence, text)
    await this.end(run, { promptTokens, cachedTokens, generatedTokens: texts.length })
    return run
  }

  close(): void {
    this.#socket.close(1000, 'bye')
  }
}

/** A connected Host of this account. */
export async function newHost(enrolmentToken: string, options?: HostHabits): Promise<TestHost> {
  const keys = await newHostKeys()
  const response = await enrol(keys, enrolmentToken)
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`)
  return TestHost.connect(keys, options)
}
