import { resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { FatalError } from '../exit-codes.ts'
import { printable } from '../printable.ts'
import type { SetupFlags } from '../setup/start-setup.ts'
import { WORK_TIMES } from '../setup/work-time.ts'
import { ControlClient } from '../control/control-client.ts'
import { networkOption } from './login.ts'
import { newCommand } from './new-command.ts'
import { enrollOption, insecureOption, list, orcOption, pinOption } from './orc-options.ts'
import { runCommand } from './run-command.ts'
import { modelsFolderOption, nameOption, serverOption, stateOption } from './run-options.ts'
import { type StateFlag, stateFolderOf } from './state-folder.ts'

interface Flags extends SetupFlags, StateFlag {
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
  serverOption,
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
    // Loaded here: no other command needs it.
    const { startSetup } = await import('../setup/start-setup.ts')
    await startSetup(flags, stateFolder, interrupted.signal)
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
