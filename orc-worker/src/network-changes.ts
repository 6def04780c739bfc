import { database } from './db/client.ts'
import { servedNetworks } from './db/host-networks.ts'
import { keysOf } from './db/key-access.ts'
import { refreshKeySessions } from './objects/key-sessions.ts'
import { hostStub } from './objects/stubs.ts'

/** Hosts told at the same time. */
const TOLD_AT_ONCE = 20

/** Makes every Session of the keys of a Network look at its rights anew before it lets the next call in. */
export async function refreshKeys(env: Env, network: string): Promise<void> {
  await refreshKeySessions(env, await keysOf(database(env), { network }))
}

/** Tells the objects of these Hosts which Networks they may serve. */
export async function refreshHosts(env: Env, hostIds: readonly string[]): Promise<void> {
  for (let start = 0; start < hostIds.length; start += TOLD_AT_ONCE) {
    await Promise.all(
      hostIds.slice(start, start + TOLD_AT_ONCE).map(async (hostId) => {
        const networks = await servedNetworks(database(env), hostId)
        await hostStub(env, hostId).changeNetworks(networks.map(({ name }) => name))
      }),
    )
  }
}

/** Makes these Hosts connect again, so that what they may serve from where they are is looked at anew. */
export async function reconnectHosts(env: Env, hostIds: readonly string[]): Promise<void> {
  for (let start = 0; start < hostIds.length; start += TOLD_AT_ONCE)
    await Promise.all(
      hostIds.slice(start, start + TOLD_AT_ONCE).map((hostId) => hostStub(env, hostId).reconnect()),
    )
}
