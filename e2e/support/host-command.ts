import { HOST_PROGRAM } from './paths.ts'
import { Program } from './program.ts'

/** How a command of `daisi-host` ended. */
export interface CommandResult {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Runs a command of `daisi-host` on a state folder, to its end. */
export async function hostCommand(stateDir: string, ...args: string[]): Promise<CommandResult> {
  await using program = new Program(HOST_PROGRAM, [...args, '--state', stateDir])
  const { code } = await program.exited
  return { code, out: program.out.join('\n'), err: program.err.join('\n') }
}
