import type { IdleReason } from '@daisi/protocol'
import type { AgentStatus } from '../control/agent-status.ts'
import type { Problem } from '../problem.ts'

/** What each reason means for the owner, and what to do about it. */
const REASONS: Readonly<Record<IdleReason, string>> = {
  paused: 'paused; to take work again: daisi-host resume',
  draining: 'told to finish what runs and take nothing new; to take work again: daisi-host resume',
  stopping: 'stopping',
  schedule: 'outside of the hours in settings.schedule; to see them: daisi-host config get settings.schedule',
  in_use: 'somebody is at this machine; settings.onlyWhenIdle lets it work only without',
  on_battery: 'this machine runs on battery; settings.onlyWhenIdle lets it work on mains power only',
  gpu_busy: 'other programs use the GPU; settings.onlyWhenIdle sets how much they may',
  daily_limit: 'the tokens for today are used up; settings.maxTokensPerDay sets how many there are',
  no_model: 'no model can be served; add one: daisi-host models add REFERENCE',
}

/** Why a Host gets no work, most important first. Empty when it is at work. */
export function explainIdleness(status: Omit<AgentStatus, 'problems'>): Problem[] {
  const problems: Problem[] = []
  const online = status.orcs.filter(({ state }) => state === 'online')
  if (status.reason !== undefined) problems.push({ code: status.reason, message: REASONS[status.reason] })
  for (const { url, state, problem } of status.orcs) {
    if (state === 'online') continue
    const why = problem === undefined ? 'connecting' : problem
    problems.push({ code: 'not_connected', message: `${url}: ${why}; it is tried again by itself` })
  }
  for (const { url, networks } of online) {
    if (networks.length > 0) continue
    const message = `${url} lets this Host serve no Network, or settings.networks leaves none of them; join one, or change the setting`
    problems.push({ code: 'no_network', message })
  }
  for (const { id, state, percent, problem } of status.models) {
    if (state === 'failed')
      problems.push({ code: 'model_failed', message: `${id}: ${problem ?? 'it could not be loaded'}` })
    if (state === 'loading' && status.models.every((other) => other.state !== 'loaded'))
      problems.push({
        code: 'model_loading',
        message: `${id} is being loaded${percent === undefined ? '' : ` (${percent} %)`}`,
      })
  }
  for (const update of new Set(status.orcs.flatMap((orc) => orc.update ?? [])))
    problems.push({ code: 'update', message: `daisi-host ${update} is out, this is ${status.version}` })
  if (problems.length === 0 && status.slots.free === status.slots.total && status.today.jobs === 0)
    problems.push({
      code: 'no_demand',
      message: 'connected and ready; nobody has asked for these models today',
    })
  return problems
}
