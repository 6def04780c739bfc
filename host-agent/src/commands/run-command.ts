import type { Command } from 'commander'
import { FatalError } from '../exit-codes.ts'
import { createLogger, type LogLevel } from '../log.ts'
import { readAgentConfig } from '../state/agent-config.ts'
import { newCommand } from './new-command.ts'
import { logOptions, runOptions, stateOption } from './run-options.ts'
import { planRun, type RunFlags } from './run-plan.ts'
import { type StateFlag, stateFolderOf } from './state-folder.ts'

interface Flags extends RunFlags, StateFlag {
  readonly drainTimeout?: number
  readonly plain?: true
  readonly logLevel: LogLevel
  readonly logFormat?: 'json' | 'human'
}

/** `daisi-host run`. */
export function runCommand(): Command {
  const command = newCommand('run', 'serve models to the Consumers of an Orc').action(run)
  for (const option of [...runOptions, stateOption, ...logOptions]) command.addOption(option)
  return command
}

async function run(flags: Flags): Promise<void> {
  const logFormat = flags.logFormat ?? (process.stderr.isTTY ? 'human' : 'json')
  try {
    const stateFolder = stateFolderOf(flags.state)
    const config = await readAgentConfig(stateFolder)
    const { runAgent } = await import('./run-agent.ts')
    await runAgent({
      ...planRun(flags, config, stateFolder),
      drainTimeoutSeconds: flags.drainTimeout ?? config.drainTimeoutSeconds,
      logLevel: flags.logLevel,
      logFormat,
      fullScreen: isWatched(flags),
    })
  } catch (error) {
    if (!(error instanceof FatalError)) throw error
    createLogger(flags.logLevel, logFormat).fatal({ event: 'fatal', code: error.code }, error.message)
    process.exit(error.exitCode)
  }
}

/** True if somebody sits before a terminal and did not ask for log lines. */
function isWatched({ plain, logFormat }: Flags): boolean {
  return plain !== true && logFormat === undefined && process.stdin.isTTY && process.stdout.isTTY
}
