import type { EnrolResponse } from '@daisi/protocol'
import type { Clock } from '../clock.ts'
import { IssuerBook } from '../connection/issuer-book.ts'
import { OrcLogin } from '../connection/orc-login.ts'
import { OrcTransport } from '../connection/orc-transport.ts'
import { createLogger } from '../log.ts'
import { loadIdentity } from '../state/identity.ts'
import { OrcRecordFile } from '../state/orc-record.ts'
import { removeStaleTemporaries } from '../state/stale-temporaries.ts'
import type { LoginScreen } from './login-screen.ts'
import type { OrcAnswer } from './setup-asker.ts'

export interface LoginEnrolment {
  readonly stateFolder: string
  readonly orc: OrcAnswer
  readonly name: string
  /** Undefined: the Orc's own. */
  readonly network: string | undefined
  readonly clock: Clock
}

/** Enrols this Host by its owner's approval in a browser, and remembers that. Throws a `FatalError` for every other end. */
export async function enrolByLogin(
  { stateFolder, orc: { url, pin }, name, network, clock }: LoginEnrolment,
  screen: Pick<LoginScreen, 'code' | 'problem'>,
  signal: AbortSignal,
): Promise<EnrolResponse> {
  const identity = await loadIdentity(stateFolder)
  await removeStaleTemporaries(stateFolder)
  const record = await OrcRecordFile.open(stateFolder, url)
  const transport = new OrcTransport(url, pin)
  const logger = createLogger('silent', 'json')
  const issuers = new IssuerBook(stateFolder)
  const facts = { transport, identity, record, issuers, clock, random: Math.random, logger, name, network }
  try {
    return await new OrcLogin(facts, signal).run({
      onCode: (code) => screen.code(code, identity.hostId),
      onProblem: (problem, waitMs) => screen.problem(problem, waitMs),
    })
  } finally {
    await transport.close()
  }
}
