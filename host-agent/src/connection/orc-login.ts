import type { EnrolResponse } from '@daisi/protocol'
import { Backoff } from '../backoff.ts'
import { type Clock, sleep } from '../clock.ts'
import { FatalError } from '../exit-codes.ts'
import type { Logger } from '../log.ts'
import type { Identity } from '../state/identity.ts'
import type { OrcRecordFile } from '../state/orc-record.ts'
import { DeviceLogin, type LoginListener } from './device-login.ts'
import type { IssuerBook } from './issuer-book.ts'
import { loginInterrupted } from './login-failures.ts'
import { OrcEntry } from './orc-entry.ts'
import { orcUnreachable } from './orc-failures.ts'
import { OrcHttp } from './orc-http.ts'
import type { OrcTransport } from './orc-transport.ts'

/** Enrolling is tried this often. The same token with the same key again does no harm (C3). */
const ENROL_ATTEMPTS = 6

export interface OrcLoginOptions {
  readonly transport: OrcTransport
  readonly identity: Identity
  readonly record: OrcRecordFile
  readonly issuers: IssuerBook
  /** Milliseconds since 1970: proofs have a date. */
  readonly clock: Clock
  readonly random: () => number
  readonly logger: Logger
  readonly name: string
  readonly network: string | undefined
}

/** Enrols this Host at one Orc by its owner's approval, and remembers it. */
export class OrcLogin {
  readonly #options: OrcLoginOptions
  readonly #signal: AbortSignal
  readonly #entry: OrcEntry

  /** Aborting `signal` ends the login. */
  constructor(options: OrcLoginOptions, signal: AbortSignal) {
    const { transport } = options
    this.#options = options
    this.#signal = signal
    this.#entry = new OrcEntry({
      ...options,
      url: transport.url,
      http: new OrcHttp(transport),
      enrolmentToken: undefined,
    })
  }

  /** Throws a `FatalError` for every end but an enrolled Host. */
  async run(listener: LoginListener): Promise<EnrolResponse> {
    const { transport, clock, identity, name, network } = this.#options
    await this.#reach(() => transport.checkPin(this.#signal))
    // Before the owner is asked: an Orc that is not the one that was known must not be given anything.
    await this.#reach(() => this.#entry.meet(this.#signal))
    const request = { hostId: identity.hostId, hostName: name, network }
    const token = await new DeviceLogin(transport, clock, this.#signal).run(request, listener)
    return this.#enrol(token)
  }

  async #enrol(token: string): Promise<EnrolResponse> {
    const { clock, random } = this.#options
    const backoff = new Backoff(random)
    for (let attempt = 1; attempt < ENROL_ATTEMPTS; attempt++) {
      try {
        return await this.#entry.enrol(token, this.#signal)
      } catch (error) {
        if (error instanceof FatalError) throw error
        await sleep(clock, backoff.next(), this.#signal)
      }
    }
    return this.#reach(() => this.#entry.enrol(token, this.#signal))
  }

  async #reach<Value>(step: () => Promise<Value>): Promise<Value> {
    try {
      return await step()
    } catch (error) {
      if (this.#signal.aborted) throw loginInterrupted()
      if (error instanceof FatalError) throw error
      throw orcUnreachable(this.#options.transport.url, error)
    }
  }
}
