import type { Outcome } from '../outcome.ts'
import { type AgentConfig, agentConfig } from './agent-config.ts'
import { allowedValues, type ConfigKey, configProblem, keysUnder } from './config-problem.ts'

/** A configuration after a change. */
export interface ChangedConfig {
  readonly config: AgentConfig
  /** The whole key that was meant. */
  readonly key: string
  /** Name of the owner's setting that the key belongs to, such as `schedule`: a running agent takes it at once. */
  readonly setting: keyof AgentConfig['settings'] | undefined
}

/** Where a part of something is set that was not there: rules that ask for nothing. */
const BLANK: Readonly<Record<string, object>> = {
  'settings.onlyWhenIdle': { noInputMinutes: 0, onPower: false, gpuBelowPercent: 100 },
}

/** The value under a dotted key. `settings.` may be left out: `schedule` is `settings.schedule`. */
export function getPath(config: AgentConfig, key: string): Outcome<unknown> {
  const path = resolveKey(key)
  if (!path.ok) return path
  return { ok: true, value: path.value.reduce<unknown>((at, part) => child(at, part), config) ?? null }
}

/**
 * The configuration with another value under a dotted key. `text` is JSON, or a plain text, or a list with commas:
 * whichever the key takes. Nothing is written.
 */
export function setPath(config: AgentConfig, key: string, text: string): Outcome<ChangedConfig> {
  const path = resolveKey(key)
  if (!path.ok) return path
  const [first, ...others] = readings(text).map((value) => replace(config, path.value, value))
  const worked = [first, ...others].find((result) => result?.ok === true)
  return worked ?? first ?? refusal('invalid_value', `give a value for ${key}`)
}

/** The configuration with the default under a dotted key. */
export function unsetPath(config: AgentConfig, key: string): Outcome<ChangedConfig> {
  const path = resolveKey(key)
  if (!path.ok) return path
  const standard = path.value.reduce<unknown>((at, part) => child(at, part), agentConfig.parse({}))
  return replace(config, path.value, standard)
}

function resolveKey(key: string): Outcome<ConfigKey> {
  const parts = key.split('.').map((part) => (/^\d{1,4}$/.test(part) ? Number(part) : part))
  for (const path of [parts, ['settings', ...parts]])
    if (allowedValues(agentConfig, path) !== undefined) return { ok: true, value: path }
  const parent = parts.slice(0, -1)
  const known = keysUnder(agentConfig, parent)
  const keys =
    known.length > 0 && parent.length > 0
      ? known.map((name) => [...parent, name].join('.'))
      : [...keysUnder(agentConfig, []), ...keysUnder(agentConfig, ['settings'])]
  return refusal('unknown_key', `${key} is no setting; use one of ${keys.join(', ')}`)
}

/** What a text can mean, the likeliest first. */
function readings(text: string): unknown[] {
  const list = text.split(',').map((part) => part.trim())
  try {
    return [JSON.parse(text), text, list]
  } catch {
    return [text, list]
  }
}

function replace(config: AgentConfig, path: ConfigKey, value: unknown): Outcome<ChangedConfig> {
  const draft: unknown = structuredClone(config)
  const last = path.at(-1) ?? ''
  let at = draft as Record<string | number, unknown>
  for (const [depth, part] of path.slice(0, -1).entries()) {
    if (isBeyond(at, part)) return noEntry(path)
    at[part] ??= structuredClone(BLANK[path.slice(0, depth + 1).join('.')] ?? {})
    at = at[part] as Record<string | number, unknown>
  }
  if (isBeyond(at, last)) return noEntry(path)
  at[last] = value
  const parsed = agentConfig.safeParse(draft)
  if (!parsed.success) return refusal('invalid_value', configProblem(agentConfig, parsed.error))
  const setting = path[0] === 'settings' ? (path[1] as ChangedConfig['setting']) : undefined
  return { ok: true, value: { config: parsed.data, key: path.join('.'), setting } }
}

/** True for an index that would leave a gap in a list. */
function isBeyond(at: unknown, part: string | number): boolean {
  return Array.isArray(at) && Number(part) > at.length
}

function child(at: unknown, part: string | number): unknown {
  if (typeof at !== 'object' || at === null || !Object.hasOwn(at, part)) return undefined
  return (at as Record<string | number, unknown>)[part]
}

function noEntry(path: ConfigKey): Outcome<never> {
  return refusal('invalid_value', `${path.join('.')} would leave a gap in the list; use the next free index`)
}

function refusal(code: string, message: string): Outcome<never> {
  return { ok: false, code, message }
}
