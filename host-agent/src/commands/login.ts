import { networkName } from '@daisi/protocol'
import { InvalidArgumentError, Option } from 'commander'
import { type Clock, systemClock } from '../clock.ts'
import { ExitCode, FatalError } from '../exit-codes.ts'
import { rememberOrc } from '../setup/change-config.ts'
import { enrolByLogin } from '../setup/enrol-by-login.ts'
import type { LoginScreen } from '../setup/login-screen.ts'
import { machineName } from '../setup/machine-name.ts'
import { insecureOption, orcOption, type OrcFlags, orcTargets, pinOption } from './orc-options.ts'
import { nameOption } from './run-options.ts'

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

/** Enrols this Host at one Orc, and has `run` serve that Orc. Throws a `FatalError`. */
export async function logIn(
  options: LoginOptions,
  screen: LoginScreen,
  signal: AbortSignal,
  clock: Clock = systemClock,
): Promise<void> {
  const { stateFolder, name = machineName(), network } = options
  const [orc, ...more] = orcTargets(options)
  if (orc === undefined || more.length > 0)
    throw new FatalError(
      ExitCode.Usage,
      'one_orc_only',
      'a login is for one Orc: give one --orc, and log in at each',
    )
  const answer = await enrolByLogin({ stateFolder, orc, name, network, clock }, screen, signal)
  await rememberOrc(stateFolder, orc)
  screen.enrolled(answer, orc)
}

function parseNetwork(text: string): string {
  if (!networkName.safeParse(text).success)
    throw new InvalidArgumentError('give a Network: small letters, digits and dashes')
  return text
}
