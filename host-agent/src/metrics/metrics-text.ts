import type { AgentStatus } from '../control/agent-status.ts'

interface Sample {
  readonly labels?: Readonly<Record<string, string>>
  readonly value: number
}

/** Content type of the Prometheus text format, version 0.0.4. */
export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** The status as Prometheus reads it (text exposition format 0.0.4). Names and ids of models are the only labels. */
export function metricsText(status: AgentStatus): string {
  const { slots, total, models, orcs, today } = status
  return [
    family('daisi_host_info', 'gauge', 'Version of daisi-host.', [
      { labels: { version: status.version }, value: 1 },
    ]),
    family('daisi_host_start_time_seconds', 'gauge', 'When it was started, in seconds since 1970.', [
      { value: status.startedAt / 1000 },
    ]),
    family('daisi_host_accepting', 'gauge', '1 while it takes work; otherwise 0 and why.', [
      { labels: { reason: status.reason ?? '' }, value: status.reason === undefined ? 1 : 0 },
    ]),
    family(
      'daisi_host_orc_connected',
      'gauge',
      '1 for each Orc that it is connected to.',
      orcs.map(({ url, state }) => ({ labels: { orc: url }, value: state === 'online' ? 1 : 0 })),
    ),
    family('daisi_host_slots', 'gauge', 'Jobs that may run at once.', [{ value: slots.total }]),
    family('daisi_host_slots_free', 'gauge', 'Jobs that may begin now.', [{ value: slots.free }]),
    family('daisi_host_jobs_waiting', 'gauge', 'Jobs in line for a slot.', [{ value: slots.waiting }]),
    family(
      'daisi_host_model_loaded',
      'gauge',
      '1 for each model that is ready to work.',
      models.map(({ id, state }) => ({ labels: { model: id }, value: state === 'loaded' ? 1 : 0 })),
    ),
    family(
      'daisi_host_model_jobs',
      'gauge',
      'Jobs that run with each model.',
      models.map(({ id, running }) => ({ labels: { model: id }, value: running })),
    ),
    family(
      'daisi_host_model_tokens_per_second',
      'gauge',
      'Speed of one stream, smoothed.',
      models.flatMap(({ id, tokensPerSecond }) =>
        tokensPerSecond === undefined ? [] : [{ labels: { model: id }, value: tokensPerSecond }],
      ),
    ),
    family('daisi_host_jobs_total', 'counter', 'Jobs that ended.', [{ value: total.jobs }]),
    family('daisi_host_jobs_failed_total', 'counter', 'Jobs that failed.', [{ value: total.failedJobs }]),
    family('daisi_host_tokens_total', 'counter', 'Tokens of jobs that ended.', [
      { labels: { kind: 'prompt' }, value: total.promptTokens },
      { labels: { kind: 'cached' }, value: total.cachedTokens },
      { labels: { kind: 'generated' }, value: total.generatedTokens },
    ]),
    family('daisi_host_tokens_per_second', 'gauge', 'Tokens generated over all jobs, in the last seconds.', [
      { value: status.tokensPerSecond },
    ]),
    family('daisi_host_tokens_today', 'gauge', 'Tokens processed since midnight.', [
      { labels: { for: 'others' }, value: today.tokensForOthers },
      { labels: { for: 'owner' }, value: today.ownTokens },
    ]),
  ].join('')
}

function family(name: string, type: 'gauge' | 'counter', help: string, samples: readonly Sample[]): string {
  const lines = samples.map(({ labels = {}, value }) => {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escape(text)}"`)
    return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`
  })
  return lines.length === 0
    ? ''
    : [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines, ''].join('\n')
}

function escape(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
