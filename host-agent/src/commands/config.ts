import type { Command } from 'commander'
import { ControlClient } from '../control/control-client.ts'
import type { Outcome } from '../outcome.ts'
import { ExitCode, FatalError } from '../exit-codes.ts'
import { printable } from '../printable.ts'
import {
  type AgentConfig,
  agentConfigPath,
  readAgentConfig,
  writeAgentConfig,
} from '../state/agent-config.ts'
import { type ChangedConfig, getPath, setPath, unsetPath } from '../state/config-keys.ts'
import { type CommandOutput, processOutput } from '../terminal/command-output.ts'
import { newCommand } from './new-command.ts'
import { stateOption } from './run-options.ts'
import { type StateFlag, stateFolderOf } from './state-folder.ts'
import { jsonOption } from './status.ts'

type Change = (config: AgentConfig) => Outcome<ChangedConfig>

/** `daisi-host config`: the owner's settings, of the running agent where there is one. */
export function configCommand(output: CommandOutput = processOutput): Command {
  const config = newCommand('config', 'read and change settings')
  config
    .command('list', { isDefault: true })
    .description('every setting')
    .addOption(stateOption)
    .addOption(jsonOption)
    .action(async ({ state, json }: StateFlag & { json?: true }) => {
      const { config: current } = await readCurrent(stateFolderOf(state))
      output.write(json === true ? `${JSON.stringify(current, undefined, 2)}\n` : listText(current))
    })
  config
    .command('get <key>')
    .description('one setting, as JSON; settings. may be left out')
    .addOption(stateOption)
    .action(async (key: string, { state }: StateFlag) => {
      const { config: current } = await readCurrent(stateFolderOf(state))
      output.write(`${JSON.stringify(valueOf(getPath(current, key)))}\n`)
    })
  config
    .command('set <key> <value>')
    .description('change a setting: JSON, a plain text, or a list with commas')
    .addOption(stateOption)
    .action((key: string, value: string, { state }: StateFlag) =>
      change(stateFolderOf(state), (current) => setPath(current, key, value), output),
    )
  config
    .command('unset <key>')
    .description('give a setting its default again')
    .addOption(stateOption)
    .action((key: string, { state }: StateFlag) =>
      change(stateFolderOf(state), (current) => unsetPath(current, key), output),
    )
  config
    .command('path')
    .description('where the file is')
    .addOption(stateOption)
    .action(({ state }: StateFlag) => output.write(`${agentConfigPath(stateFolderOf(state))}\n`))
  return config
}

/** The configuration as it is in force: what the file says, and the settings of the running agent, if there is one. */
async function readCurrent(stateFolder: string): Promise<{ config: AgentConfig; client?: ControlClient }> {
  const [config, client] = [await readAgentConfig(stateFolder), new ControlClient(stateFolder)]
  if (!(await client.isRunning())) return { config }
  return { config: { ...config, settings: await client.settings() }, client }
}

/** Settings of the owner take effect in a running agent at once; it remembers them itself. All else waits for the next start. */
async function change(stateFolder: string, make: Change, output: CommandOutput): Promise<void> {
  const { config, client } = await readCurrent(stateFolder)
  const { config: changed, key, setting } = valueOf(make(config))
  const isLive = client !== undefined && setting !== undefined
  if (isLive) await client.applySettings({ [setting]: changed.settings[setting] })
  // Not what is in force: the command line of the running agent is none of the file's business.
  else await writeAgentConfig(stateFolder, valueOf(make(await readAgentConfig(stateFolder))).config)
  output.write(`${key} = ${JSON.stringify(valueOf(getPath(changed, key)))}\n`)
  if (client !== undefined && !isLive) output.note('The running agent takes it when it is started again.\n')
}

/** One line for each setting that has no parts. */
function listText(config: AgentConfig): string {
  const lines = (value: unknown, key: string): string[] => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return [`${key} = ${printable(JSON.stringify(value))}\n`]
    return Object.entries(value).flatMap(([name, part]) => lines(part, key === '' ? name : `${key}.${name}`))
  }
  return lines(config, '').join('')
}

function valueOf<Value>(outcome: Outcome<Value>): Value {
  if (outcome.ok) return outcome.value
  throw new FatalError(ExitCode.Usage, outcome.code, outcome.message)
}
