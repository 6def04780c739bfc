import {
  type NetworkGuests,
  type NetworkList,
  type NetworkView,
  networkChange,
  networkRequest,
} from '@daisi/protocol'
import { database } from '../db/client.ts'
import { forgetHosts, hostsToTell } from '../db/host-networks.ts'
import {
  type UsableNetwork,
  createNetwork,
  findUsable,
  forgetGuest,
  guestsOf,
  removeNetwork,
  sendGuestAway,
  setCidrs,
  usableNetworks,
} from '../db/networks.ts'
import { isCidr } from '../domain/cidr.ts'
import type { AppContext } from '../http/context.ts'
import { ApiError } from '../http/errors.ts'
import { readJson } from '../http/read-json.ts'
import { announceChange } from '../objects/network-changes.ts'

/** `GET /api/networks`. */
export async function getNetworks(c: AppContext): Promise<Response> {
  const networks = await usableNetworks(database(c.env), c.var.account.id)
  return c.json({ networks: networks.map(networkView) } satisfies NetworkList)
}

/** `POST /api/networks`: a private Network of this account. */
export async function postNetwork(c: AppContext): Promise<Response> {
  const { value } = await readJson(c.req.raw, networkRequest)
  const { name, cidrs = [] } = value
  checkCidrs(cidrs)
  const network = { name, accountId: c.var.account.id, cidrs }
  if (!(await createNetwork(database(c.env), network, Date.now()))) {
    throw new ApiError({
      code: 'conflict',
      message: 'This name is or was taken. Choose another.',
      param: 'name',
    })
  }
  return c.json({ name, kind: 'private', owned: true, cidrs } satisfies NetworkView, 201)
}

/** `PATCH /api/networks/:network`: from where it may be used. Its Hosts connect again, its keys are looked at anew. */
export async function patchNetwork(c: AppContext): Promise<Response> {
  const { name } = await ownNetwork(c)
  const { value } = await readJson(c.req.raw, networkChange)
  checkCidrs(value.cidrs)
  const db = database(c.env)
  await setCidrs(db, { name, accountId: c.var.account.id, ...value })
  await announceChange(c.env, name, await hostsToTell(db, name))
  return c.json({ name, kind: 'private', owned: true, cidrs: value.cidrs } satisfies NetworkView)
}

/** `DELETE /api/networks/:network`: for good; nobody uses or serves it any more. May be repeated. */
export async function deleteNetwork(c: AppContext): Promise<Response> {
  const name = c.req.param('network') ?? ''
  const db = database(c.env)
  if (!(await removeNetwork(db, { name, accountId: c.var.account.id }, Date.now()))) throw notOwned()
  // Read after the change: who joins before it is told of it, and who joins after it learns it from D1.
  await announceChange(c.env, name, await hostsToTell(db, name))
  return c.body(null, 204)
}

/** `GET /api/networks/:network/accounts`: who else may use it. */
export async function getGuests(c: AppContext): Promise<Response> {
  const { name } = await ownNetwork(c)
  return c.json({ accounts: await guestsOf(database(c.env), name) } satisfies NetworkGuests)
}

/** `DELETE /api/networks/:network/accounts/:account`: its keys and Hosts are out at once. */
export async function deleteGuest(c: AppContext): Promise<Response> {
  const { name } = await ownNetwork(c)
  const db = database(c.env)
  const accountId = c.req.param('account') ?? ''
  if (!(await sendGuestAway(db, name, accountId, Date.now())))
    throw new ApiError({ code: 'not_found', message: 'This account is no guest of the Network.' })
  const theirs = await hostsToTell(db, name, accountId)
  await announceChange(c.env, name, theirs)
  // A failure before leaves all that it takes to repeat this.
  await forgetHosts(db, name, theirs)
  await forgetGuest(db, name, accountId)
  return c.body(null, 204)
}

/** The Network that the path names, if the caller's account owns it. One that it does not own is as one that does not exist. */
export async function ownNetwork(c: AppContext): Promise<UsableNetwork> {
  const name = c.req.param('network') ?? ''
  const network = await findUsable(database(c.env), c.var.account.id, name)
  if (network?.owned === true) return network
  throw notOwned()
}

function notOwned(): ApiError {
  const message = 'This account owns no such Network. GET /api/networks lists what it may use.'
  return new ApiError({ code: 'not_found', message })
}

function networkView({ name, kind, owned, cidrs }: UsableNetwork): NetworkView {
  return { name, kind, owned, cidrs: owned ? cidrs : [] }
}

function checkCidrs(cidrs: readonly string[]): void {
  const wrong = cidrs.find((cidr) => !isCidr(cidr))
  if (wrong === undefined) return
  const message = `${JSON.stringify(wrong)} is no CIDR block. Write for instance 192.168.0.0/16 or fd00::/8.`
  throw new ApiError({ code: 'invalid_request', message, param: 'cidrs' })
}
