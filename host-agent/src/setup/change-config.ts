import { isPrivateUrl } from '../private-address.ts'
import type { OrcTarget } from '../connection/orc-links.ts'
import { type AgentConfig, agentConfig, readAgentConfig, writeAgentConfig } from '../state/agent-config.ts'
import { tooManyOrcs, tooManyServers } from './setup-failures.ts'

/** Changes the configuration as it stands now: its owner may have edited it meanwhile. Throws a `FatalError`. */
export async function changeConfig(
  stateFolder: string,
  change: (config: AgentConfig) => AgentConfig,
): Promise<void> {
  await writeAgentConfig(stateFolder, change(await readAgentConfig(stateFolder)))
}

/** Has `daisi-host run` serve this Orc from now on, beside those that it serves. */
export function rememberOrc(
  stateFolder: string,
  { url, pin }: Pick<OrcTarget, 'url' | 'pin'>,
): Promise<void> {
  return changeConfig(stateFolder, (config) => {
    const known = config.orcs.find((orc) => orc.url === url)
    // Whoever came so far over such an address allowed it.
    const insecure = known?.insecure === true || (url.startsWith('http:') && !isPrivateUrl(url))
    const kept = pin ?? known?.pin
    const entry = { url, insecure, ...(kept !== undefined && { pin: kept }) }
    const orcs =
      known === undefined ? [...config.orcs, entry] : config.orcs.map((orc) => (orc === known ? entry : orc))
    if (!agentConfig.shape.orcs.safeParse(orcs).success) throw tooManyOrcs()
    return { ...config, orcs }
  })
}

/** Offers the models of a server from now on. `text` is as `parseServerSpec` understands it. */
export function rememberServer(stateFolder: string, text: string): Promise<void> {
  return changeConfig(stateFolder, (config) => {
    if (config.servers.includes(text)) return config
    const servers = [...config.servers, text]
    if (!agentConfig.shape.servers.safeParse(servers).success) throw tooManyServers()
    return { ...config, servers }
  })
}
