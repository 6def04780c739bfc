import { mkdir, realpath } from 'node:fs/promises'
import type { Command } from 'commander'
import { ExitCode } from '../exit-codes.ts'
import { type ServiceManager, serviceManager } from '../service/service-manager.ts'
import { servicePlan } from '../service/service-plan.ts'
import { readAgentConfig } from '../state/agent-config.ts'
import { type CommandOutput, processOutput } from '../terminal/command-output.ts'
import { newCommand } from './new-command.ts'
import { stateOption } from './run-options.ts'
import { type StateFlag, stateFolderOf } from './state-folder.ts'

/** npm may clear this folder at any time. */
const NPX_CACHE = /[\\/]_npx[\\/]/

/** `daisi-host service`: has this system keep the agent running, as this user. */
export function serviceCommand(
  output: CommandOutput = processOutput,
  manager: () => ServiceManager = serviceManager,
): Command {
  const service = newCommand('service', 'have this system keep daisi-host running, as this user')
  service
    .command('install')
    .description('install the service, or renew it, and start it')
    .option('--print', "only print the service's text")
    .addOption(stateOption)
    .action(async ({ state, print }: StateFlag & { print?: true }) => {
      const script = await realpath(process.argv[1] ?? '')
      const plan = servicePlan(stateFolderOf(state), process.execPath, script)
      if (print === true) return output.write(manager().text(plan))
      await mkdir(plan.workingFolder, { recursive: true, mode: 0o700 })
      const { orcs } = await readAgentConfig(plan.workingFolder)
      const done = await manager().install(plan)
      const hints = [
        'It runs what daisi-host config says, and knows nothing of this shell; see its log with: daisi-host logs --follow',
      ]
      if (orcs.length === 0)
        hints.push(
          'No Orc is configured yet: run daisi-host once and answer its questions, then install again',
        )
      if (NPX_CACHE.test(script))
        hints.push(
          "This daisi-host lies in npx's cache, which npm may clear: npm install --global daisi-host, then install the service again",
        )
      output.write([...done, ...hints].map((line) => `${line}\n`).join(''))
    })
  service
    .command('uninstall')
    .description('stop the service and remove it; settings, models and identity stay')
    .action(async () => {
      const done = await manager().uninstall()
      const lines = done.length === 0 ? ['There is no service to remove'] : done
      output.write(lines.map((line) => `${line}\n`).join(''))
    })
  service
    .command('status')
    .description('whether the service is installed and running')
    .action(async () => {
      const { installed, running, detail } = await manager().state()
      const words = installed ? `${manager().place}: ${detail}` : 'not installed'
      output.write(`${words}\n`)
      output.exitWith(running ? ExitCode.Ok : ExitCode.NotRunning)
    })
  return service
}
