import type { AgentStatus } from '../control/agent-status.ts'
import { ControlClient } from '../control/control-client.ts'
import { isStateLocked } from '../control/state-lock.ts'
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
    if (!(await isStateLocked(stateFolder))) return [warn(NAME, 'no agent runs', 'start it with: daisi-host')]
    const fix = 'wait if it has just started; else end its process, and start it again'
    return [fail(NAME, 'an agent has this state folder, but takes no commands', fix)]
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
