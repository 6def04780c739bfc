import { database } from '../db/client.ts'
import { servedNetworks } from '../db/host-networks.ts'
import { keysOf } from '../db/key-access.ts'
import { inTurns } from './in-turns.ts'
import { refreshKeySessions } from './key-sessions.ts'
import { hostStub } from './stubs.ts'

// Who is told after D1 was changed. All of it may be repeated, and throws `NotAllTold` where it must be.

/** Has these Hosts serve the Networks that D1 lets them serve from where they are, and no others. */
export function refreshHosts(env: Env, hostIds: readonly string[]): Promise<void> {
  return inTurns(hostIds, async (hostId) => {
    await hostStub(env, hostId).changeNetworks(await servedNetworks(database(env), hostId))
  })
}

/** Tells these Hosts that they have another owner. */
function changeOwners(env: Env, hostIds: readonly string[]): Promise<void> {
  return inTurns(hostIds, (hostId) => hostStub(env, hostId).changeOwner())
}

/** A Host has another owner: it serves what D1 lets it serve now, and connects again at once. */
export function handOverHost(env: Env, hostId: string): Promise<void> {
  return inTurns([refreshHosts, changeOwners], (tell) => tell(env, [hostId]), 1)
}

/** Ends the connections of a Host that was removed. */
export function dismissHost(env: Env, hostId: string): Promise<void> {
  return inTurns([hostId], (id) => hostStub(env, id).remove())
}

/**
 * A Network, or who may use it, has changed: tells Hosts, then its keys. Hosts come first since prompts go to them; where they fail
 * the keys are told all the same.
 */
export function announceChange(env: Env, network: string, hostIds: readonly string[]): Promise<void> {
  return inTurns([() => refreshHosts(env, hostIds), () => refreshKeys(env, network)], (tell) => tell(), 1)
}

/** Has the Sessions of all keys of a Network read their rights anew. */
async function refreshKeys(env: Env, network: string): Promise<void> {
  await refreshKeySessions(env, await keysOf(database(env), { network }))
}
