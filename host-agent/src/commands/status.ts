import { Option, type Command } from 'commander'
import { ControlClient } from '../control/control-client.ts'
import { ExitCode } from '../exit-codes.ts'
import { type CommandOutput, processOutput } from '../terminal/command-output.ts'
import { newCommand } from './new-command.ts'
import { stateOption } from './run-options.ts'
import { type StateFlag, stateFolderOf } from './state-folder.ts'
import { isOnline, statusText } from './status-text.ts'

/** Of commands that scripts read. */
export const jsonOption = new Option('--json', 'print JSON, for scripts')

/** `daisi-host status`: what the running agent does, and why it gets no work. Exit codes tell online, offline and not running apart. */
export function statusCommand(output: CommandOutput = processOutput): Command {
  return newCommand('status', 'what the running agent does, and why it gets no work')
    .addOption(stateOption)
    .addOption(jsonOption)
    .action(async ({ state, json }: StateFlag & { json?: true }) => {
      const status = await new ControlClient(stateFolderOf(state)).status()
      output.write(json === true ? `${JSON.stringify(status)}\n` : statusText(status, Date.now()))
      output.exitWith(isOnline(status) ? ExitCode.Ok : ExitCode.Offline)
    })
}
