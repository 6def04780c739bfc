import {
  HOST_CHALLENGE_PATH,
  HOST_ENROL_PATH,
  HOST_PROOF_TYPE,
  type ProofPurpose,
  RECEIPT_TYPE,
  type JobUsage,
} from '@daisi/protocol'
import {
  type CryptoKey,
  type JWK,
  SignJWT,
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  importJWK,
} from 'jose'

/** The model file that the mock Host says it serves. */
const MODEL_SHA256 = 'a'.repeat(64)

/** All that a Host needs to come back as the same in another process. */
export interface SavedIdentity {
  readonly orcUrl: string
  readonly issuer: string
  readonly privateJwk: JWK
}

/** What a Host of the benchmarks signs with, and the Orc it belongs to. */
export class HostIdentity {
  readonly hostId: string
  readonly #orcUrl: string
  readonly #issuer: string
  readonly #publicJwk: JWK
  readonly #privateKey: CryptoKey

  private constructor(orcUrl: string, issuer: string, hostId: string, publicJwk: JWK, privateKey: CryptoKey) {
    this.#orcUrl = orcUrl
    this.#issuer = issuer
    this.hostId = hostId
    this.#publicJwk = publicJwk
    this.#privateKey = privateKey
  }

  /** Makes a key pair and enrols it, as a new Host does (rule C3). */
  static async enrol(orcUrl: string, token: string): Promise<HostIdentity> {
    const { issuer } = await answer<{ issuer: string }>(fetch(new URL('/.well-known/daisi', orcUrl)))
    const { publicKey, privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true })
    const { kty, crv, x } = await exportJWK(publicKey)
    const publicJwk = { kty, crv, x } as JWK
    const hostId = await calculateJwkThumbprint(publicJwk)
    const identity = new HostIdentity(orcUrl, issuer, hostId, publicJwk, privateKey)
    const body = JSON.stringify({ token, proof: await identity.proof('enrol') })
    const headers = { 'content-type': 'application/json' }
    await answer(fetch(new URL(HOST_ENROL_PATH, orcUrl), { method: 'POST', headers, body }))
    return identity
  }

  /** The Host that `saved` was. */
  static async restore({ orcUrl, issuer, privateJwk }: SavedIdentity): Promise<HostIdentity> {
    const { kty, crv, x } = privateJwk
    const publicJwk = { kty, crv, x } as JWK
    const privateKey = (await importJWK(privateJwk, 'EdDSA', { extractable: true })) as CryptoKey
    return new HostIdentity(orcUrl, issuer, await calculateJwkThumbprint(publicJwk), publicJwk, privateKey)
  }

  async saved(): Promise<SavedIdentity> {
    return { orcUrl: this.#orcUrl, issuer: this.#issuer, privateJwk: await exportJWK(this.#privateKey) }
  }

  /** Answers a fresh challenge (rules C1, C2). */
  async proof(purpose: ProofPurpose = 'connect'): Promise<string> {
    const url = new URL(HOST_CHALLENGE_PATH, this.#orcUrl)
    const { nonce } = await answer<{ nonce: string }>(fetch(url, { method: 'POST' }))
    return new SignJWT({ nonce, origin: new URL(this.#orcUrl).host, purpose })
      .setProtectedHeader({ alg: 'EdDSA', typ: HOST_PROOF_TYPE, jwk: this.#publicJwk })
      .setIssuer(this.hostId)
      .setAudience(this.#issuer)
      .setIssuedAt()
      .sign(this.#privateKey)
  }

  /** What a Job cost (rule R1). */
  async receipt(jobId: string, sessionId: string, usage: JobUsage, startedAt: number): Promise<string> {
    const times = { startedAt, endedAt: Date.now() }
    return new SignJWT({ jobId, sid: sessionId, modelSha256: MODEL_SHA256, ...usage, ...times })
      .setProtectedHeader({ alg: 'EdDSA', typ: RECEIPT_TYPE })
      .setIssuer(this.hostId)
      .setAudience(this.#issuer)
      .sign(this.#privateKey)
  }
}

async function answer<Value>(pending: Promise<Response>): Promise<Value> {
  const response = await pending
  const text = await response.text()
  if (!response.ok) throw new Error(`${response.url} answered ${response.status}: ${text}`)
  const value: Value = JSON.parse(text)
  return value
}
