import { Command, CommanderError } from 'commander'
import envPaths from 'env-paths'
import { idCommand } from './commands/id.ts'
import { loginCommand, type LoginCommandOptions, loginOptions } from './commands/login.ts'
import { humanScreen, jsonScreen } from './commands/login-screen.ts'
import { type OrcFlags, orcTargets } from './commands/orc-options.ts'
import { runCommand } from './commands/run.ts'
import { logOptions, runOptions, stateOption } from './commands/run-options.ts'
import { ExitCode, FatalError } from './exit-codes.ts'
import { type DirectFlags, planListening } from './direct/listen-plan.ts'
import { createLogger, type LogLevel } from './log.ts'
import { printable } from './printable.ts'
import { AGENT_VERSION } from './version.ts'

interface RunFlags extends OrcFlags, DirectFlags {
  readonly model: string
  readonly name?: string
  readonly modelId?: string
  readonly state?: string
  readonly slots: number
  readonly queue: number
  readonly threads?: number
  readonly context?: number
  readonly gpu: boolean
  readonly drainTimeout: number
  readonly logLevel: LogLevel
  readonly logFormat?: 'json' | 'human'
}

const defaultLogFormat = process.stderr.isTTY ? 'human' : 'json'

function stateFolderOf(flag: string | undefined): string {
  return flag ?? envPaths('daisi-host', { suffix: '' }).config
}

async function run(flags: RunFlags): Promise<void> {
  const logFormat = flags.logFormat ?? defaultLogFormat
  try {
    await runCommand({
      orcs: orcTargets(flags),
      direct: planListening(flags),
      modelPath: flags.model,
      modelId: flags.modelId,
      stateFolder: stateFolderOf(flags.state),
      name: flags.name,
      slots: flags.slots,
      queue: flags.queue,
      threads: flags.threads,
      contextLength: flags.context,
      gpu: flags.gpu,
      drainTimeoutSeconds: flags.drainTimeout,
      logLevel: flags.logLevel,
      logFormat,
    })
  } catch (error) {
    if (!(error instanceof FatalError)) throw error
    createLogger(flags.logLevel, logFormat).fatal({ event: 'fatal', code: error.code }, error.message)
    process.exit(error.exitCode)
  }
}

interface LoginFlags extends Omit<LoginCommandOptions, 'stateFolder'> {
  readonly state?: string
  readonly json?: true
}

async function login(flags: LoginFlags): Promise<void> {
  const write = (text: string): void => void process.stdout.write(text)
  const screen =
    flags.json === true ? jsonScreen(write) : humanScreen(write, (text) => void process.stderr.write(text))
  const interrupted = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupted.abort())
  try {
    await loginCommand({ ...flags, stateFolder: stateFolderOf(flags.state) }, screen, interrupted.signal)
  } catch (error) {
    if (!(error instanceof FatalError)) throw error
    screen.failed(error)
    process.exit(error.exitCode)
  }
}

const program = new Command('daisi-host')
  .description('Lend this machine to a DAISI network and earn a credit for every token it processes.')
  .version(AGENT_VERSION)
  .exitOverride()
const runProgram = program.command('run').description('serve a model to the Consumers of an Orc').action(run)
for (const option of [...runOptions, stateOption, ...logOptions]) runProgram.addOption(option)
const loginProgram = program
  .command('login')
  .description("enrol this machine at an Orc by its owner's approval in a browser")
  .action(login)
for (const option of [...loginOptions, stateOption]) loginProgram.addOption(option)
program
  .command('id')
  .description("print this Host's id")
  .addOption(stateOption)
  .action(({ state }: { state?: string }) => idCommand(stateFolderOf(state)))

try {
  await program.parseAsync()
  process.exit(ExitCode.Ok)
} catch (error) {
  if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? ExitCode.Ok : ExitCode.Usage)
  process.stderr.write(`daisi-host: ${printable(error instanceof Error ? error.message : 'unknown error')}\n`)
  process.exit(error instanceof FatalError ? error.exitCode : ExitCode.Internal)
}
