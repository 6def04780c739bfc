import { resolve } from 'node:path'
import { systemClock } from '../clock.ts'
import { processOutput } from '../terminal/command-output.ts'
import type { CertificatePin } from '../certificate-pin.ts'
import { ExitCode, FatalError } from '../exit-codes.ts'
import { DownloadError } from '../store/download-error.ts'
import { type Hub, hubFromEnvironment } from '../store/hub.ts'
import { ClackAsker } from './clack-asker.ts'
import { USUAL_SERVERS } from './find-servers.ts'
import { setUp } from './set-up.ts'
import { notInteractive, oneOrcOnly } from './setup-failures.ts'
import { type GivenAnswers, UnattendedAsker } from './unattended-asker.ts'
import type { WorkTime } from './work-time.ts'

/** What the command line and the environment say about a setup. */
export interface SetupFlags {
  readonly orc?: readonly string[]
  readonly pin?: readonly (CertificatePin | undefined)[]
  readonly insecure?: true
  readonly enroll?: readonly string[]
  readonly network?: string
  readonly name?: string
  readonly model?: readonly string[]
  readonly server?: readonly string[]
  readonly when?: WorkTime
  readonly modelsFolder?: string
  readonly yes?: true
}

/** Sets this Host up, with questions or without. Throws a `FatalError`. */
export async function startSetup(flags: SetupFlags, stateFolder: string, signal: AbortSignal): Promise<void> {
  const { name, modelsFolder } = flags
  const given = givenAnswers(flags)
  const asker =
    flags.yes === true
      ? new UnattendedAsker(given, processOutput)
      : await ClackAsker.open(given, processOutput, signal)
  const options = {
    stateFolder,
    name,
    modelsFolder: modelsFolder === undefined ? undefined : resolve(modelsFolder),
    insecure: flags.insecure === true,
    hub: readHub(),
    usualServers: USUAL_SERVERS,
    clock: systemClock,
  }
  await setUp(options, asker, signal)
}

function givenAnswers({ orc = [], pin = [], enroll = [], yes, ...flags }: SetupFlags): GivenAnswers {
  if (yes !== true && !(process.stdin.isTTY && process.stdout.isTTY)) throw notInteractive()
  if (orc.length > 1 || pin.length > 1 || enroll.length > 1) throw oneOrcOnly()
  const { network, when } = flags
  const [models, servers] = [named(flags.model), named(flags.server)]
  return { orc: orc[0], pin: pin[0], token: enroll[0] || undefined, network, models, servers, when }
}

/** Variables of the environment that are empty name nothing. */
function named(texts: readonly string[] | undefined): readonly string[] | undefined {
  const filled = texts?.filter((text) => text !== '') ?? []
  return filled.length === 0 ? undefined : filled
}

function readHub(): Hub {
  try {
    return hubFromEnvironment(process.env)
  } catch (error) {
    if (!(error instanceof DownloadError)) throw error
    throw new FatalError(ExitCode.Usage, error.code, error.message, error)
  }
}
