import { database } from './db/client.ts'
import { servedNetworks } from './db/host-networks.ts'
import { keysOf } from './db/key-access.ts'
import { hostStub, plainSessionNames, sessionStub } from './objects/stubs.ts'

/** Makes every Session of these keys look at its rights anew before it lets the next call in. */
export async function refreshKeys(env: Env, of: { readonly network: string }): Promise<void> {
  const keys = await keysOf(database(env), of)
  const names = keys.flatMap(({ hash, networks }) => plainSessionNames(hash, networks))
  await Promise.all(names.map((name) => sessionStub(env, name).refresh()))
}

/** Tells the objects of these Hosts which Networks they may serve. */
export async function refreshHosts(env: Env, hostIds: readonly string[]): Promise<void> {
  await Promise.all(
    hostIds.map(async (hostId) => {
      const networks = await servedNetworks(database(env), hostId)
      await hostStub(env, hostId).changeNetworks(networks.map(({ name }) => name))
    }),
  )
}
