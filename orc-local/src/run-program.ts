import { type Command, CommanderError } from 'commander'
import { messageOf, OrcError } from './errors.ts'
import { ExitCode, exitCodeOf, Failure } from './exit-codes.ts'
import { printError } from './output.ts'

/** Runs a command line to its end and sets the exit code. */
export async function runProgram(program: Command, argv: readonly string[] = process.argv): Promise<void> {
  forEachCommand(program, (command) => command.exitOverride())
  try {
    await program.parseAsync([...argv])
  } catch (error) {
    if (error instanceof CommanderError) {
      // commander has said it, be it the help or what is wrong with the arguments.
      process.exitCode = error.exitCode === 0 ? ExitCode.Ok : ExitCode.Usage
      return
    }
    report(error)
    process.exitCode = exitCodeOf(error)
  }
}

function report(error: unknown): void {
  const isExpected = error instanceof Failure || error instanceof OrcError
  printError(
    !isExpected && error instanceof Error && error.stack !== undefined ? error.stack : messageOf(error),
  )
}

function forEachCommand(command: Command, action: (command: Command) => void): void {
  action(command)
  for (const child of command.commands) forEachCommand(child, action)
}
