import { type Discovery, PROTOCOL_VERSION } from '@daisi/protocol'
import { type CertificatePin, fingerprintOf } from '../certificate-pin.ts'
import { learnCertificate } from '../connection/learn-certificate.ts'
import { isUnvouched, orcUnreachable } from '../connection/orc-failures.ts'
import { OrcHttp } from '../connection/orc-http.ts'
import { HTTP_TIMEOUT_MS, OrcTransport } from '../connection/orc-transport.ts'
import { FatalError } from '../exit-codes.ts'
import type { OrcAnswer } from './setup-asker.ts'
import { setupInterrupted, versionTooOld } from './setup-failures.ts'

export type MetOrc =
  | { readonly kind: 'met'; readonly discovery: Discovery }
  /** Nobody vouches for its certificate, which has this fingerprint; nothing was sent to it. */
  | { readonly kind: 'unvouched'; readonly shown: CertificatePin }

/** Asks an address whether there is an Orc, and who it is. Throws a `FatalError` if it is none that can be served. */
export async function meetOrc({ url, pin }: OrcAnswer, signal: AbortSignal): Promise<MetOrc> {
  const transport = new OrcTransport(url, pin)
  try {
    await transport.checkPin(signal)
    const discovery = await new OrcHttp(transport).discover(signal)
    if (discovery.host_protocol.minimum > PROTOCOL_VERSION) throw versionTooOld(url)
    return { kind: 'met', discovery }
  } catch (error) {
    if (signal.aborted) throw setupInterrupted()
    if (error instanceof FatalError) throw error
    if (pin === undefined && isUnvouched(error))
      return { kind: 'unvouched', shown: await shownBy(url, signal) }
    throw orcUnreachable(url, error)
  } finally {
    await transport.close()
  }
}

async function shownBy(url: string, signal: AbortSignal): Promise<CertificatePin> {
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(HTTP_TIMEOUT_MS)])
  try {
    return fingerprintOf(await learnCertificate(url, inTime))
  } catch (error) {
    throw signal.aborted ? setupInterrupted() : orcUnreachable(url, error)
  }
}
