import type { EnrolResponse, ProofPurpose } from '@daisi/protocol'
import type { Clock } from '../clock.ts'
import type { FatalError } from '../exit-codes.ts'
import type { Logger } from '../log.ts'
import type { Identity } from '../state/identity.ts'
import type { OrcRecordFile } from '../state/orc-record.ts'
import type { IssuerBook } from './issuer-book.ts'
import { enrolmentRefused, issuerChanged, issuerTaken } from './orc-failures.ts'
import { type OrcHttp, OrcHttpError } from './orc-http.ts'
import { signProof } from './proof.ts'

/** Everything over HTTP that comes before a connection: discovery, enrolment, proof. */
export class OrcEntry {
  readonly #url: string
  readonly #http: OrcHttp
  readonly #identity: Identity
  readonly #record: OrcRecordFile
  readonly #issuers: IssuerBook
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #name: string | undefined
  #enrolmentToken: string | undefined

  constructor(options: {
    readonly url: string
    readonly http: OrcHttp
    readonly identity: Identity
    readonly record: OrcRecordFile
    readonly issuers: IssuerBook
    readonly clock: Clock
    readonly logger: Logger
    readonly name: string | undefined
    readonly enrolmentToken: string | undefined
  }) {
    this.#url = options.url
    this.#http = options.http
    this.#identity = options.identity
    this.#record = options.record
    this.#issuers = options.issuers
    this.#clock = options.clock
    this.#logger = options.logger
    this.#name = options.name
    this.#enrolmentToken = options.enrolmentToken
  }

  /** A fresh proof for one connection (C2). Throws `FatalError`, `OrcHttpError`, or the network's error. */
  async prepare(signal: AbortSignal): Promise<string> {
    const issuer = await this.#issuer(signal)
    const token = this.#enrolmentToken
    if (!this.#record.value.enrolled && token !== undefined) await this.#enrol(issuer, token, signal)
    return this.#proof(issuer, 'connect', signal)
  }

  /** Asks the Orc who it is, and nothing more. Throws as `prepare` does. */
  async meet(signal: AbortSignal): Promise<void> {
    await this.#issuer(signal)
  }

  /** Enrols this Host with a one-time token (C3), whatever is remembered. Throws as `prepare` does. */
  async enrol(token: string, signal: AbortSignal): Promise<EnrolResponse> {
    return this.#enrol(await this.#issuer(signal), token, signal)
  }

  /** True if the Orc forgot this Host and there is a token to enrol it again with the next `prepare`. */
  async enrolAgain(): Promise<boolean> {
    if (this.#enrolmentToken === undefined) return false
    await this.#record.update({ enrolled: false })
    return true
  }

  /** Why an Orc of this name must not be served here: it had another name before, or another Orc has this one. */
  judgeIssuer(issuer: string): FatalError | undefined {
    const known = this.#record.value.issuer
    if (known !== undefined && known !== issuer) return issuerChanged(this.#url, known, issuer)
    const other = this.#issuers.claim(issuer, this.#url)
    return other === undefined ? undefined : issuerTaken(this.#url, issuer, other)
  }

  async #issuer(signal: AbortSignal): Promise<string> {
    const { issuer } = await this.#http.discover(signal)
    // Names from earlier runs are claimed before any Orc can take one of them.
    await this.#issuers.refresh()
    const problem = this.judgeIssuer(issuer)
    if (problem !== undefined) throw problem
    return issuer
  }

  async #enrol(issuer: string, token: string, signal: AbortSignal): Promise<EnrolResponse> {
    try {
      const proof = await this.#proof(issuer, 'enrol', signal)
      const answer = await this.#http.enrol(token, proof, this.#name, signal)
      const { alias, networks } = answer
      this.#enrolmentToken = undefined
      await this.#record.update({ issuer, alias, networks, enrolled: true })
      this.#logger.info({ orc: this.#url, alias, networks }, 'enrolled')
      return answer
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
