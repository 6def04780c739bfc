import { Command, CommanderError } from 'commander'
import { configCommand } from './commands/config.ts'
import { doctorCommand } from './commands/doctor.ts'
import { idCommand } from './commands/id.ts'
import { loginCommand } from './commands/login-command.ts'
import { logsCommand } from './commands/logs.ts'
import { modelsCommand } from './commands/models.ts'
import { drainCommand, pauseCommand, resumeCommand } from './commands/pause.ts'
import { runCommand } from './commands/run-command.ts'
import { serviceCommand } from './commands/service.ts'
import { setupCommand } from './commands/setup.ts'
import { startArguments } from './commands/start-arguments.ts'
import { statusCommand } from './commands/status.ts'
import { ExitCode, FatalError } from './exit-codes.ts'
import { printable } from './printable.ts'
import { AGENT_VERSION } from './version.ts'

const program = new Command('daisi-host')
  .description('Lend this machine to a DAISI network and earn a credit for every token it processes.')
  .version(AGENT_VERSION)
  .exitOverride()
const commands = [
  setupCommand(),
  runCommand(),
  loginCommand(),
  statusCommand(),
  doctorCommand(),
  pauseCommand(),
  resumeCommand(),
  drainCommand(),
  modelsCommand(),
  configCommand(),
  logsCommand(),
  serviceCommand(),
  idCommand(),
]
for (const command of commands) program.addCommand(command)

// Whoever reads only the beginning, as `head` does, is no fault of this program.
process.stdout.on('error', () => process.exit(ExitCode.Ok))
try {
  await program.parseAsync(await startArguments(process.argv.slice(2)), { from: 'user' })
  process.exit(process.exitCode ?? ExitCode.Ok)
} catch (error) {
  if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? ExitCode.Ok : ExitCode.Usage)
  process.stderr.write(`daisi-host: ${printable(error instanceof Error ? error.message : 'unknown error')}\n`)
  process.exit(error instanceof FatalError ? error.exitCode : ExitCode.Internal)
}
