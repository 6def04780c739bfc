import { resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { systemClock } from '../clock.ts'
import type { CertificatePin } from '../connection/certificate-pin.ts'
import { ExitCode, FatalError } from '../exit-codes.ts'
import { printable } from '../printable.ts'
import { ClackAsker } from '../setup/clack-asker.ts'
import { USUAL_SERVERS } from '../setup/find-servers.ts'
import { setUp } from '../setup/set-up.ts'
import { notInteractive, oneOrcOnly } from '../setup/setup-failures.ts'
import { type GivenAnswers, UnattendedAsker } from '../setup/unattended-asker.ts'
import { WORK_TIMES, type WorkTime } from '../setup/work-time.ts'
import { DownloadError } from '../store/download-error.ts'
import { type Hub, hubFromEnvironment } from '../store/hub.ts'
import { ControlClient } from '../control/control-client.ts'
import { processOutput } from './command-output.ts'
import { networkOption } from './login.ts'
import { newCommand } from './new-command.ts'
import { enrollOption, insecureOption, list, orcOption, pinOption } from './orc-options.ts'
import { runCommand } from './run-command.ts'
import { modelsFolderOption, nameOption, stateOption } from './run-options.ts'
import { type StateFlag, stateFolderOf } from './state-folder.ts'

interface Flags extends StateFlag {
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
  readonly run?: boolean
}

const setupOptions: readonly Option[] = [
  orcOption,
  pinOption,
  insecureOption,
  networkOption,
  enrollOption,
  nameOption,
  new Option(
    '--model <model>',
    "serve this model: an id of the Orc's catalogue, a GGUF file, https://… or hf:user/repo:quantization; again for each further one",
  )
    .env('DAISI_MODEL')
    .argParser(list((text) => text)),
  new Option(
    '--server <server>',
    'serve the models of a server that runs here: ollama, lmstudio, comfyui, vllm=URL, openai=URL …; again for each further one',
  )
    .env('DAISI_SERVERS')
    .argParser(list((text) => text)),
  new Option('--when <when>', 'when to work: always, only while the machine is idle, or at night')
    .env('DAISI_WHEN')
    .choices(WORK_TIMES),
  modelsFolderOption,
  stateOption,
  new Option('--yes', 'ask nothing: what is not given is as it was, or what is best for most').env(
    'DAISI_YES',
  ),
  new Option('--run', 'go online afterwards (default: unless --yes is given)'),
  new Option('--no-run', 'do not go online afterwards'),
]

/** What is in the configuration after a setup; the environment would say it to `run` once more, and in other words. */
const ANSWERED = [
  'DAISI_ORC',
  'DAISI_PIN',
  'DAISI_INSECURE',
  'DAISI_ENROLL_TOKEN',
  'DAISI_NAME',
  'DAISI_MODEL',
  'DAISI_SERVERS',
  'DAISI_MODELS',
] as const

/** `daisi-host setup`: the first run, in three questions; with `--yes` in none. */
export function setupCommand(): Command {
  const description = 'choose network, models and hours in three questions, and go online; --yes asks none'
  const command = newCommand('setup', description).action(run)
  for (const option of setupOptions) command.addOption(option)
  return command
}

async function run(flags: Flags): Promise<void> {
  const stateFolder = resolve(stateFolderOf(flags.state))
  const interrupted = new AbortController()
  const onSignal = (): void => interrupted.abort()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, onSignal)
  try {
    await answer(flags, stateFolder, interrupted.signal)
  } catch (error) {
    if (!(error instanceof FatalError)) throw error
    process.stderr.write(`daisi-host: ${printable(error.message)} (${error.code})\n`)
    process.exit(error.exitCode)
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, onSignal)
  }
  if (!(flags.run ?? flags.yes !== true) || (await new ControlClient(stateFolder).isRunning())) return
  for (const name of ANSWERED) delete process.env[name]
  await runCommand().parseAsync(['--state', stateFolder], { from: 'user' })
}

async function answer(flags: Flags, stateFolder: string, signal: AbortSignal): Promise<void> {
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

function givenAnswers({ orc = [], pin = [], enroll = [], yes, ...flags }: Flags): GivenAnswers {
  if (yes !== true && !(process.stdin.isTTY && process.stdout.isTTY)) throw notInteractive()
  if (orc.length > 1 || pin.length > 1 || enroll.length > 1) throw oneOrcOnly()
  const { network, model: models, server: servers, when } = flags
  return { orc: orc[0], pin: pin[0], token: enroll[0] || undefined, network, models, servers, when }
}

function readHub(): Hub {
  try {
    return hubFromEnvironment(process.env)
  } catch (error) {
    if (!(error instanceof DownloadError)) throw error
    throw new FatalError(ExitCode.Usage, error.code, error.message, error)
  }
}
