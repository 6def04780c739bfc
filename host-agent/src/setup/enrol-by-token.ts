import type { EnrolResponse } from '@daisi/protocol'
import type { Clock } from '../clock.ts'
import { IssuerBook } from '../connection/issuer-book.ts'
import { OrcEntry } from '../connection/orc-entry.ts'
import { orcUnreachable } from '../connection/orc-failures.ts'
import { OrcHttp } from '../connection/orc-http.ts'
import { OrcTransport } from '../connection/orc-transport.ts'
import { FatalError } from '../exit-codes.ts'
import { createLogger } from '../log.ts'
import { loadIdentity } from '../state/identity.ts'
import { OrcRecordFile } from '../state/orc-record.ts'
import type { OrcAnswer } from './setup-asker.ts'
import { setupInterrupted } from './setup-failures.ts'

export interface TokenEnrolment {
  readonly stateFolder: string
  readonly orc: OrcAnswer
  readonly token: string
  readonly name: string
  readonly clock: Clock
}

/** Enrols this Host with a one-time token, and remembers that. Throws a `FatalError`. */
export async function enrolByToken(
  { stateFolder, orc: { url, pin }, token, name, clock }: TokenEnrolment,
  signal: AbortSignal,
): Promise<EnrolResponse> {
  const transport = new OrcTransport(url, pin)
  const entry = new OrcEntry({
    url,
    http: new OrcHttp(transport),
    identity: await loadIdentity(stateFolder),
    record: await OrcRecordFile.open(stateFolder, url),
    issuers: new IssuerBook(stateFolder),
    clock,
    logger: createLogger('silent', 'json'),
    name,
    enrolmentToken: undefined,
  })
  try {
    await transport.checkPin(signal)
    return await entry.enrol(token, signal)
  } catch (error) {
    if (signal.aborted) throw setupInterrupted()
    throw error instanceof FatalError ? error : orcUnreachable(url, error)
  } finally {
    await transport.close()
  }
}
