import type { Command } from 'commander'
import { FatalError } from '../exit-codes.ts'
import { logIn, type LoginOptions, loginOptions } from './login.ts'
import { humanScreen, jsonScreen } from '../setup/login-screen.ts'
import { newCommand } from './new-command.ts'
import { stateOption } from './run-options.ts'
import { type StateFlag, stateFolderOf } from './state-folder.ts'

interface Flags extends Omit<LoginOptions, 'stateFolder'>, StateFlag {
  readonly json?: true
}

/** `daisi-host login`. */
export function loginCommand(): Command {
  const description = "enrol this machine at an Orc by its owner's approval in a browser"
  const command = newCommand('login', description).action(run)
  for (const option of [...loginOptions, stateOption]) command.addOption(option)
  return command
}

async function run(flags: Flags): Promise<void> {
  const write = (text: string): void => void process.stdout.write(text)
  const screen =
    flags.json === true ? jsonScreen(write) : humanScreen(write, (text) => void process.stderr.write(text))
  const interrupted = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupted.abort())
  try {
    await logIn({ ...flags, stateFolder: stateFolderOf(flags.state) }, screen, interrupted.signal)
  } catch (error) {
    if (!(error instanceof FatalError)) throw error
    screen.failed(error)
    process.exit(error.exitCode)
  }
}
