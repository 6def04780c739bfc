import type { AgentStatus } from '../control/agent-status.ts'
import { printable } from '../printable.ts'
import { columns } from '../terminal/columns.ts'
import { formatBytes, formatCount, formatSeconds } from '../terminal/human-units.ts'

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
  return `online, takes no work (${status.reason})`
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
