import { X509Certificate } from 'node:crypto'
import type { ConnectionOptions } from 'node:tls'
import { Agent, fetch, type RequestInit, type Response } from 'undici'
import { type CertificatePin, fingerprintOf } from '../certificate-pin.ts'
import { learnCertificate } from './learn-certificate.ts'
import { pinMismatch } from './orc-failures.ts'

/** An answer that takes longer counts as none. */
export const HTTP_TIMEOUT_MS = 10_000

/** No answer that a Host asks for comes near this. */
const LARGEST_ANSWER_BYTES = 1024 * 1024

/** How TLS verifies one Orc. */
export type TlsTrust = Pick<
  ConnectionOptions,
  'rejectUnauthorized' | 'ca' | 'allowPartialTrustChain' | 'checkServerIdentity'
>

/** By the authorities and the host name, whatever NODE_TLS_REJECT_UNAUTHORIZED says. */
const USUAL_TRUST: TlsTrust = { rejectUnauthorized: true }

/**
 * The way to one Orc, for HTTP and WebSocket alike. With a pin, the one certificate that has this fingerprint replaces
 * every authority and the host name, and is verified inside each TLS handshake: before anything is sent.
 */
export class OrcTransport {
  readonly url: string
  readonly #pin: CertificatePin | undefined
  #trust: TlsTrust | undefined
  #agent: Agent | undefined

  /** `url` is the Orc's address, without a slash at its end. */
  constructor(url: string, pin: CertificatePin | undefined) {
    this.url = url
    this.#pin = pin
  }

  /**
   * Looks at the certificate that the Orc shows now. Throws a `FatalError` `pin_mismatch` if it is another than the pinned
   * one, and the network's error if there is none to look at.
   */
  async checkPin(signal: AbortSignal): Promise<void> {
    if (this.#pin === undefined) return
    const inTime = AbortSignal.any([signal, AbortSignal.timeout(HTTP_TIMEOUT_MS)])
    const der = await learnCertificate(this.url, inTime)
    const shown = fingerprintOf(der)
    if (shown !== this.#pin) throw pinMismatch(this.url, this.#pin, shown)
    this.#trust ??= trustOnly(der, this.#pin)
  }

  /** For every TLS connection to the Orc. Rejects as `checkPin` does. */
  async tlsTrust(signal: AbortSignal): Promise<TlsTrust> {
    if (this.#pin === undefined) return USUAL_TRUST
    if (this.#trust === undefined) await this.checkPin(signal)
    if (this.#trust === undefined) throw new Error('a pin was checked without a result')
    return this.#trust
  }

  /** Rejects as `checkPin` does, and when no answer comes in time. */
  async fetch(url: string, init: RequestInit & { readonly signal: AbortSignal }): Promise<Response> {
    const signal = AbortSignal.any([init.signal, AbortSignal.timeout(HTTP_TIMEOUT_MS)])
    const trust = await this.tlsTrust(signal)
    this.#agent ??= createAgent(trust)
    return fetch(url, { ...init, signal, dispatcher: this.#agent })
  }

  /** Drops idle connections. */
  async close(): Promise<void> {
    const agent = this.#agent
    this.#agent = undefined
    await agent?.destroy()
  }
}

/**
 * The certificate alone is the anchor, so that the handshake proves its key; being compared as well, it cannot vouch for
 * others. Its dates still count, its names do not: the fingerprint says more than a name.
 */
function trustOnly(der: Buffer, pin: CertificatePin): TlsTrust {
  return {
    rejectUnauthorized: true,
    ca: new X509Certificate(der).toString(),
    allowPartialTrustChain: true,
    checkServerIdentity: (_, { raw }) =>
      fingerprintOf(raw) === pin
        ? undefined
        : new Error('the Orc shows another certificate than the pinned one'),
  }
}

/** No TLS session is resumed: a resumed one would not ask for the certificate again. */
function createAgent(trust: TlsTrust): Agent {
  return new Agent({
    connect: { ...trust, maxCachedSessions: 0, allowH2: false, timeout: HTTP_TIMEOUT_MS },
    allowH2: false,
    maxResponseSize: LARGEST_ANSWER_BYTES,
  })
}
