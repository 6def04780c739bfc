import { Command } from 'commander'

/** A command that says what is wrong with its arguments by an error, as the whole program does, and does not end the process itself. */
export function newCommand(name: string, description: string): Command {
  return new Command(name).description(description).exitOverride()
}
