import type { Activity } from '../control/agent-status.ts'

type Kind = Activity['kind']

/** What kind of happening each event of the log is, for those that an owner wants to see. */
const KINDS: Readonly<Record<string, Kind>> = {
  online: 'connection',
  offline: 'connection',
  'orc-ended': 'problem',
  direct: 'connection',
  draining: 'owner',
  'owner-changed': 'owner',
  'model-loaded': 'model',
  'model-unloaded': 'model',
  'model-added': 'model',
  'model-removed': 'model',
  'model-failed': 'problem',
  'engine-lost': 'problem',
  'server-lost': 'model',
  'server-found': 'model',
  clock: 'problem',
  update: 'update',
}

/** A log record as a line for the owner, or undefined for one that is not worth it. */
export function activityOf(record: Readonly<Record<string, unknown>>): Omit<Activity, 'at'> | undefined {
  const { event, msg, orc, model, problem } = record
  const kind = typeof event === 'string' ? KINDS[event] : undefined
  if (kind === undefined || typeof msg !== 'string') return undefined
  const about = [orc, model, problem].filter((fact) => typeof fact === 'string')
  return { kind, text: [msg, ...about].join(' · ') }
}
