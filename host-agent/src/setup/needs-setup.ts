import { knownOrcs } from '../state/orc-record.ts'
import { readAgentConfig } from '../state/agent-config.ts'
import { ModelRegistry } from '../store/model-registry.ts'

/** True until this Host is enrolled somewhere and has something to serve: nothing was set up yet, or not to the end. Throws a `FatalError`. */
export async function needsSetup(stateFolder: string): Promise<boolean> {
  const { orcs, servers } = await readAgentConfig(stateFolder)
  const records = await knownOrcs(stateFolder)
  const isEnrolled = orcs.some(({ url }) => records.some((record) => record.url === url && record.enrolled))
  if (!isEnrolled) return true
  return servers.length === 0 && (await new ModelRegistry(stateFolder).list()).length === 0
}
