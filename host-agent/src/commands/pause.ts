import type { Command } from 'commander'
import type { AgentStatus } from '../control/agent-status.ts'
import { ControlClient } from '../control/control-client.ts'
import { type CommandOutput, processOutput } from '../terminal/command-output.ts'
import { newCommand } from './new-command.ts'
import { stateOption } from './run-options.ts'
import { type StateFlag, stateFolderOf } from './state-folder.ts'

/** `daisi-host pause`. */
export function pauseCommand(output: CommandOutput = processOutput): Command {
  return newCommand('pause', 'take no work until resume, also after a restart; what runs goes on')
    .addOption(stateOption)
    .action(async ({ state }: StateFlag) => {
      const client = new ControlClient(stateFolderOf(state))
      await client.pause()
      output.write(`Paused; ${runningJobs(await client.status())}. Go on with: daisi-host resume\n`)
    })
}

/** `daisi-host resume`. */
export function resumeCommand(output: CommandOutput = processOutput): Command {
  return newCommand('resume', 'take work again after pause or drain')
    .addOption(stateOption)
    .action(async ({ state }: StateFlag) => {
      const client = new ControlClient(stateFolderOf(state))
      await client.resume()
      const { reason, problems } = await client.status()
      const why = problems.find(({ code }) => code === reason)?.message ?? reason
      output.write(reason === undefined ? 'Takes work again\n' : `Resumed, but takes no work: ${why}\n`)
    })
}

/** `daisi-host drain`. */
export function drainCommand(output: CommandOutput = processOutput): Command {
  return newCommand(
    'drain',
    'finish what runs and take nothing new, staying connected; ends when the last job has',
  )
    .addOption(stateOption)
    .option('--no-wait', 'end at once, and let the jobs finish behind')
    .option('--stop', 'then stop the agent')
    .action(async ({ state, wait, stop }: StateFlag & { wait: boolean; stop?: true }) => {
      const client = new ControlClient(stateFolderOf(state))
      if (stop === true) await stopAgent(client, wait, output)
      else await drainAgent(client, wait, output)
    })
}

async function drainAgent(client: ControlClient, wait: boolean, output: CommandOutput): Promise<void> {
  await client.drain()
  if (wait) {
    const tell = tellerOf(output)
    for await (const event of client.events(new AbortController().signal)) {
      if (event.type !== 'status') continue
      tell(event.status)
      if (countRunning(event.status) === 0)
        return output.write('Drained; take work again with: daisi-host resume\n')
    }
  }
  output.write(`Draining; ${runningJobs(await client.status())}\n`)
}

/** Watches before it asks: afterwards there may be nobody left to watch. */
async function stopAgent(client: ControlClient, wait: boolean, output: CommandOutput): Promise<void> {
  const tell = tellerOf(output)
  let asked = false
  for await (const event of client.events(new AbortController().signal)) {
    if (!asked) await client.stop()
    asked = true
    if (!wait) return output.write('The agent stops when its jobs are done\n')
    if (event.type === 'status') tell(event.status)
  }
  output.write('The agent has stopped\n')
}

/** Tells how many jobs are left whenever it changes. */
function tellerOf(output: CommandOutput): (status: AgentStatus) => void {
  let told = ''
  return (status) => {
    const now = runningJobs(status)
    if (now !== told) output.note(`Draining; ${now}\n`)
    told = now
  }
}

function countRunning({ slots }: AgentStatus): number {
  return slots.total - slots.free + slots.waiting
}

function runningJobs(status: AgentStatus): string {
  const count = countRunning(status)
  return count === 0 ? 'no job runs' : `${count} job${count === 1 ? '' : 's'} to finish`
}
