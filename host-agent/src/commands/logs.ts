import { Option, type Command } from 'commander'
import { ExitCode, FatalError } from '../exit-codes.ts'
import { formatLine } from '../log.ts'
import { logPaths } from '../log-file.ts'
import { printable } from '../printable.ts'
import { type CommandOutput, processOutput } from '../terminal/command-output.ts'
import { followLines, lastLines } from './log-reader.ts'
import { newCommand } from './new-command.ts'
import { parseCount, stateOption } from './run-options.ts'
import { type StateFlag, stateFolderOf } from './state-folder.ts'

interface LogFlags extends StateFlag {
  readonly follow?: true
  readonly lines: number
  readonly json?: true
}

/** `daisi-host logs`: the agent's log on disk, whether it runs or not. `signal` ends following. */
export function logsCommand(
  output: CommandOutput = processOutput,
  signal: AbortSignal = new AbortController().signal,
): Command {
  return newCommand('logs', 'what the agent has logged')
    .option('-f, --follow', 'go on with what it logs from now on, until Ctrl-C')
    .addOption(
      new Option('-n, --lines <count>', 'so many of the last lines').default(100).argParser(parseCount),
    )
    .option('--json', 'the lines as they are on disk')
    .addOption(stateOption)
    .action(async ({ state, follow, lines, json }: LogFlags) => {
      const paths = logPaths(stateFolderOf(state))
      const [path = ''] = paths
      const show = (line: string): void => output.write(json === true ? `${line}\n` : readable(line))
      const last = await lastLines(paths, lines)
      for (const line of last) show(line)
      if (follow === true) for await (const line of followLines(path, signal)) show(line)
      else if (last.length === 0 && lines > 0)
        throw new FatalError(
          ExitCode.Failed,
          'no_log',
          `${path} is empty; start the agent with: daisi-host run`,
        )
    })
}

/** A line that is no record, such as one torn by a full disk, is shown as it is. */
function readable(line: string): string {
  try {
    return formatLine(line)
  } catch {
    return `${printable(line)}\n`
  }
}
