import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AgentStatus } from '../control/agent-status.ts'
import { ControlClient } from '../control/control-client.ts'
import { FatalError } from '../exit-codes.ts'
import { AGENT_VERSION } from '../version.ts'
import { type Check, fail, ok, warn } from './check.ts'

const NAME = 'agent'

/** Whether the agent runs and answers, and what it says is in the way of work. */
export async function checkAgent(stateFolder: string): Promise<readonly Check[]> {
  try {
    return ofStatus(await new ControlClient(stateFolder).status())
  } catch (error) {
    if (!(error instanceof FatalError)) throw error
    if (error.code !== 'not_running')
      return [fail(NAME, 'the agent does not answer as it should', 'start it again; update if it stays so')]
    const pid = await pidOf(stateFolder)
    if (pid === undefined) return [warn(NAME, 'no agent runs', 'start it with: daisi-host')]
    return [
      fail(
        NAME,
        `process ${pid} seems to be the agent, but takes no commands`,
        `wait if it has just started; else end it with kill ${pid}, and start it again`,
      ),
    ]
  }
}

function ofStatus({ version, pid, problems }: AgentStatus): Check[] {
  const running =
    version === AGENT_VERSION
      ? ok(NAME, `runs as process ${pid}`)
      : warn(NAME, `version ${version} runs, but ${AGENT_VERSION} is installed`, 'start the agent again')
  return [
    running,
    ...problems.map(({ code, message }) => warn(`${NAME}: ${code}`, message, 'see daisi-host status')),
  ]
}

/** Of an agent that has begun to start and is alive. */
async function pidOf(stateFolder: string): Promise<number | undefined> {
  const text = await readFile(join(stateFolder, 'agent.pid'), 'utf8').catch(() => '')
  const pid = Number.parseInt(text, 10)
  if (!(pid > 0)) return undefined
  try {
    process.kill(pid, 0)
    return pid
  } catch {
    return undefined
  }
}
