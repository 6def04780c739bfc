import type { IdleReason } from '@daisi/protocol'
import type { AgentStatus } from '../control/agent-status.ts'
import { printable } from '../printable.ts'
import { columns } from './columns.ts'
import { formatBytes, formatCount, formatSeconds } from './human-units.ts'

/** Why no work is taken, and what to do about it. */
export const IDLE_REASONS: Readonly<Record<IdleReason, string>> = {
  paused: 'its owner paused it; go on with: daisi-host resume',
  draining: 'it finishes its jobs and takes no new ones; go on with: daisi-host resume',
  stopping: 'it is about to stop',
  schedule: 'it is outside its hours; see: daisi-host config get schedule',
  in_use: 'somebody uses this machine; see: daisi-host config get onlyWhenIdle',
  on_battery: 'this machine runs on its battery; see: daisi-host config get onlyWhenIdle',
  gpu_busy: 'something else uses the GPU; see: daisi-host config get onlyWhenIdle',
  daily_limit: 'the tokens of today are used up; see: daisi-host config get maxTokensPerDay',
  no_model: 'it has no model; add one with: daisi-host models add',
}

/** True if an Orc can send it work. */
export function isOnline({ orcs }: AgentStatus): boolean {
  return orcs.some(({ state }) => state === 'online')
}

/** What `daisi-host status` shows to people. `now` in milliseconds since the epoch. */
export function statusText(status: AgentStatus, now: number): string {
  const { version, pid, hostId, startedAt } = status
  const head = [
    `daisi-host ${printable(version)}, process ${pid}, for ${formatSeconds((now - startedAt) / 1000)}`,
    `Host ${printable(hostId)}: ${summary(status)}`,
  ]
  const sections = [`${head.join('\n')}\n`, orcTable(status), modelTable(status), workTable(status)]
  return [...sections, problemList(status)].filter((section) => section !== '').join('\n')
}

function summary(status: AgentStatus): string {
  if (!isOnline(status)) return 'not connected'
  if (status.reason === undefined) return 'online, takes work'
  return `online, takes no work: ${IDLE_REASONS[status.reason]}`
}

function orcTable({ orcs }: AgentStatus): string {
  if (orcs.length === 0) return 'No Orc; add one with: daisi-host login\n'
  const rows = orcs.map(({ url, state, alias = '', networks, problem = '', update }) => [
    url,
    state,
    alias,
    networks.join(', '),
    [problem, update === undefined ? '' : `daisi-host ${update} is there`].filter(Boolean).join('; '),
  ])
  return columns([['ORC', 'STATE', 'ALIAS', 'NETWORKS', ''], ...rows])
}

function modelTable({ models }: AgentStatus): string {
  if (models.length === 0) return ''
  const rows = models.map((model) => [
    model.id,
    model.state === 'loading' && model.percent !== undefined ? `loading ${model.percent} %` : model.state,
    model.kinds.join(', '),
    formatCount(model.contextLength),
    model.sizeBytes === undefined ? '' : formatBytes(model.sizeBytes),
    model.tokensPerSecond === undefined ? '' : model.tokensPerSecond.toFixed(1),
    String(model.running),
    model.problem ?? '',
  ])
  return columns([['MODEL', 'STATE', 'KINDS', 'CONTEXT', 'SIZE', 'TOKENS/S', 'JOBS', ''], ...rows])
}

function workTable({ slots, today, tokensPerSecond }: AgentStatus): string {
  const { total, free, waiting, queue } = slots
  const failed = today.failedJobs === 0 ? '' : `, ${formatCount(today.failedJobs)} failed`
  return columns([
    ['Jobs', `${total - free} of ${total} slots, ${waiting} waiting of ${queue}`],
    ['Speed', `${tokensPerSecond.toFixed(1)} tokens/s`],
    [
      'Today',
      `${formatCount(today.jobs)} jobs${failed}; ${formatCount(today.tokensForOthers)} tokens for others, ${formatCount(today.ownTokens)} own`,
    ],
  ])
}

function problemList({ problems }: AgentStatus): string {
  if (problems.length === 0) return ''
  const lines = problems.map(({ code, message }) => `  - ${printable(message)} (${printable(code)})\n`)
  return `In the way of work:\n${lines.join('')}`
}
