import { hostname } from 'node:os'
import { networkName } from '@daisi/protocol'
import { InvalidArgumentError, Option } from 'commander'
import { type Clock, systemClock } from '../clock.ts'
import { IssuerBook } from '../connection/issuer-book.ts'
import { OrcLogin } from '../connection/orc-login.ts'
import { OrcTransport } from '../connection/orc-transport.ts'
import { ExitCode, FatalError } from '../exit-codes.ts'
import { createLogger } from '../log.ts'
import { rememberOrc } from '../setup/change-config.ts'
import { loadIdentity } from '../state/identity.ts'
import { OrcRecordFile } from '../state/orc-record.ts'
import { removeStaleTemporaries } from '../state/stale-temporaries.ts'
import type { LoginScreen } from '../setup/login-screen.ts'
import { insecureOption, orcOption, type OrcFlags, orcTargets, pinOption } from './orc-options.ts'
import { nameOption } from './run-options.ts'

/** Names longer than this are cut. */
const LONGEST_NAME = 64

export const networkOption = new Option('--network <name>', "Network to join (default: the Orc's own)")
  .env('DAISI_NETWORK')
  .argParser(parseNetwork)

/** The options of `daisi-host login`. */
export const loginOptions: readonly Option[] = [
  orcOption,
  pinOption,
  insecureOption,
  nameOption,
  networkOption,
  new Option('--json', 'print one JSON object a line, for scripts'),
]

export interface LoginOptions extends OrcFlags {
  readonly stateFolder: string
  readonly name?: string
  readonly network?: string
}

/** `daisi-host login`: enrols this Host by its owner's approval in a browser, and has `run` serve that Orc. Throws a `FatalError` for every other end. */
export async function enrolByLogin(
  options: LoginOptions,
  screen: LoginScreen,
  signal: AbortSignal,
  clock: Clock = systemClock,
): Promise<void> {
  const { stateFolder, network } = options
  const [target, ...more] = orcTargets(options)
  if (target === undefined || more.length > 0)
    throw new FatalError(
      ExitCode.Usage,
      'one_orc_only',
      'a login is for one Orc: give one --orc, and log in at each',
    )
  const { url, pin } = target
  const identity = await loadIdentity(stateFolder)
  await removeStaleTemporaries(stateFolder)
  const record = await OrcRecordFile.open(stateFolder, url)
  const transport = new OrcTransport(url, pin)
  const name = options.name ?? hostname().slice(0, LONGEST_NAME)
  const logger = createLogger('silent', 'json')
  const issuers = new IssuerBook(stateFolder)
  const facts = { transport, identity, record, issuers, clock, random: Math.random, logger, name, network }
  try {
    const answer = await new OrcLogin(facts, signal).run({
      onCode: (code) => screen.code(code, identity.hostId),
      onProblem: (problem, waitMs) => screen.problem(problem, waitMs),
    })
    await rememberOrc(stateFolder, target)
    screen.enrolled(answer, target)
  } finally {
    await transport.close()
  }
}

function parseNetwork(text: string): string {
  if (!networkName.safeParse(text).success)
    throw new InvalidArgumentError('give a Network: small letters, digits and dashes')
  return text
}
