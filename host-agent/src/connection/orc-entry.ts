import type { ProofPurpose } from '@daisi/protocol'
import type { Clock } from '../clock.ts'
import type { FatalError } from '../exit-codes.ts'
import type { Logger } from '../log.ts'
import type { Identity } from '../state/identity.ts'
import type { OrcRecordFile } from '../state/orc-record.ts'
import { enrolmentRefused, issuerChanged } from './orc-failures.ts'
import { type OrcHttp, OrcHttpError } from './orc-http.ts'
import { signProof } from './proof.ts'

/** Everything over HTTP that comes before a connection: discovery, enrolment, proof. */
export class OrcEntry {
  readonly #url: string
  readonly #http: OrcHttp
  readonly #identity: Identity
  readonly #record: OrcRecordFile
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #name: string | undefined
  #enrolmentToken: string | undefined

  constructor(options: {
    readonly url: string
    readonly http: OrcHttp
    readonly identity: Identity
    readonly record: OrcRecordFile
    readonly clock: Clock
    readonly logger: Logger
    readonly name: string | undefined
    readonly enrolmentToken: string | undefined
  }) {
    this.#url = options.url
    this.#http = options.http
    this.#identity = options.identity
    this.#record = options.record
    this.#clock = options.clock
    this.#logger = options.logger
    this.#name = options.name
    this.#enrolmentToken = options.enrolmentToken
  }

  /** A fresh proof for one connection (C2). Throws `FatalError`, `OrcHttpError`, or the network's error. */
  async prepare(signal: AbortSignal): Promise<string> {
    const issuer = await this.#issuer(signal)
    if (!this.#record.value.enrolled && this.#enrolmentToken !== undefined) await this.#enrol(issuer, signal)
    return this.#proof(issuer, 'connect', signal)
  }

  /** True if the Orc forgot this Host and there is a token to enrol it again with the next `prepare`. */
  async enrolAgain(): Promise<boolean> {
    if (this.#enrolmentToken === undefined) return false
    await this.#record.update({ enrolled: false })
    return true
  }

  /** The Orc's name for itself, which must not change once it is known. */
  async #issuer(signal: AbortSignal): Promise<string> {
    const { issuer } = await this.#http.discover(signal)
    const known = this.#record.value.issuer
    if (known !== undefined && known !== issuer) throw this.#changed(known, issuer)
    return issuer
  }

  #changed(known: string, issuer: string): FatalError {
    return issuerChanged(this.#url, known, issuer)
  }

  async #enrol(issuer: string, signal: AbortSignal): Promise<void> {
    const token = this.#enrolmentToken ?? ''
    try {
      const proof = await this.#proof(issuer, 'enrol', signal)
      const { alias, networks } = await this.#http.enrol(token, proof, this.#name, signal)
      this.#enrolmentToken = undefined
      await this.#record.update({ issuer, alias, networks, enrolled: true })
      this.#logger.info({ alias, networks }, 'enrolled')
    } catch (error) {
      const refused =
        error instanceof OrcHttpError && error.status >= 400 && error.status < 500 && error.status !== 429
      throw refused ? enrolmentRefused(this.#url, error.message) : error
    }
  }

  async #proof(issuer: string, purpose: ProofPurpose, signal: AbortSignal): Promise<string> {
    const { nonce } = await this.#http.challenge(signal)
    return signProof(this.#identity, { url: this.#url, issuer }, { nonce, purpose }, this.#clock.now())
  }
}
