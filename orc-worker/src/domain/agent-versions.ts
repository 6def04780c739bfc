import { compareVersions, validateStrict } from 'compare-versions'

/** Versions of daisi-host (semver 2.0.0): the oldest that this Orc works with, and the newest that there is. */
export interface AgentVersions {
  readonly minimum: string
  readonly latest: string
}

/** Name under which the agent whose versions these are says hello. Other agents have versions of their own. */
const AGENT_NAME = 'daisi-host'

/** Two versions stand in the reason of a close, which has 123 bytes (RFC 6455 §5.5). */
const MAX_CHARACTERS = 24

/** True if a Host with this agent must be updated first (rule H13). A version that is none is older than all. */
export function isTooOld(
  { name, version }: { readonly name: string; readonly version: string },
  { minimum }: AgentVersions,
): boolean {
  if (name !== AGENT_NAME) return false
  return !validateStrict(version) || compareVersions(version, minimum) < 0
}

/** What the owner of a Host that is too old does. Short enough for the reason of a close, whatever the version says. */
export function updateAdvice(version: string, { minimum }: AgentVersions): string {
  const known = validateStrict(version) && version.length <= MAX_CHARACTERS ? version : 'unknown'
  return `run \`npx daisi-host@latest\`: this Orc takes ${minimum} or newer, this is ${known}`
}

/** Reads the settings. Throws with what is wrong. */
export function parseAgentVersions(minimum: string, latest: string): AgentVersions {
  for (const [name, value] of [
    ['HOST_AGENT_MINIMUM', minimum],
    ['HOST_AGENT_LATEST', latest],
  ] as const)
    if (!validateStrict(value) || value.length > MAX_CHARACTERS)
      throw new Error(`${name} must be a version of daisi-host, for instance 0.1.0`)
  if (compareVersions(minimum, latest) > 0)
    throw new Error('HOST_AGENT_MINIMUM must not be newer than HOST_AGENT_LATEST')
  return { minimum, latest }
}
