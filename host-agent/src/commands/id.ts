import type { Command } from 'commander'
import { loadIdentity } from '../state/identity.ts'
import { newCommand } from './new-command.ts'
import { stateOption } from './run-options.ts'
import { type StateFlag, stateFolderOf } from './state-folder.ts'

/** `daisi-host id`: prints this Host's id, and makes its identity if there is none. */
export function idCommand(): Command {
  return newCommand('id', "print this Host's id")
    .addOption(stateOption)
    .action(async ({ state }: StateFlag) => {
      const { hostId } = await loadIdentity(stateFolderOf(state))
      process.stdout.write(`${hostId}\n`)
    })
}
