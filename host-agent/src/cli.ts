import { Command, CommanderError } from 'commander'
import envPaths from 'env-paths'
import { idCommand } from './commands/id.ts'
import { runCommand } from './commands/run.ts'
import { logOptions, runOptions, stateOption } from './commands/run-options.ts'
import { ExitCode, FatalError } from './exit-codes.ts'
import { createLogger, type LogLevel } from './log.ts'
import { AGENT_VERSION } from './version.ts'

interface RunFlags {
  readonly orc: string
  readonly model: string
  readonly enroll?: string
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
      orcUrl: flags.orc,
      modelPath: flags.model,
      modelId: flags.modelId,
      stateFolder: stateFolderOf(flags.state),
      name: flags.name,
      enrolmentToken: flags.enroll,
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

const program = new Command('daisi-host')
  .description('Lend this machine to a DAISI network and earn a credit for every token it processes.')
  .version(AGENT_VERSION)
  .exitOverride()
const runProgram = program.command('run').description('serve a model to the Consumers of an Orc').action(run)
for (const option of [...runOptions, stateOption, ...logOptions]) runProgram.addOption(option)
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
  process.stderr.write(`daisi-host: ${error instanceof Error ? error.message : 'unknown error'}\n`)
  process.exit(error instanceof FatalError ? error.exitCode : ExitCode.Internal)
}
