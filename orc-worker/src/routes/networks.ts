import {
  type NetworkGuests,
  type NetworkList,
  type NetworkView,
  networkChange,
  networkRequest,
} from '@daisi/protocol'
import { database } from '../db/client.ts'
import { hostsOfNetwork, leaveNetwork } from '../db/host-networks.ts'
import {
  type UsableNetwork,
  createNetwork,
  findUsable,
  guestsOf,
  removeGuest,
  removeNetwork,
  setCidrs,
  usableNetworks,
} from '../db/networks.ts'
import { isCidr } from '../domain/cidr.ts'
import type { AppContext } from '../http/context.ts'
import { ApiError } from '../http/errors.ts'
import { readJson } from '../http/read-json.ts'
import { reconnectHosts, refreshHosts, refreshKeys } from '../network-changes.ts'

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
  const hosts = await hostsOfNetwork(db, name)
  await Promise.all([
    refreshKeys(c.env, name),
    reconnectHosts(
      c.env,
      hosts.map(({ id }) => id),
    ),
  ])
  return c.json({ name, kind: 'private', owned: true, cidrs: value.cidrs } satisfies NetworkView)
}

/** `DELETE /api/networks/:network`: for good; nobody uses or serves it any more. */
export async function deleteNetwork(c: AppContext): Promise<Response> {
  const { name } = await ownNetwork(c)
  const db = database(c.env)
  const hosts = await hostsOfNetwork(db, name)
  await removeNetwork(db, { name, accountId: c.var.account.id }, Date.now())
  await Promise.all([
    refreshKeys(c.env, name),
    refreshHosts(
      c.env,
      hosts.map(({ id }) => id),
    ),
  ])
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
  if (!(await removeGuest(db, name, accountId)))
    throw new ApiError({ code: 'not_found', message: 'This account is no guest of the Network.' })
  const hosts = await hostsOfNetwork(db, name)
  const theirs = hosts.filter((host) => host.accountId === accountId).map(({ id }) => id)
  await Promise.all(theirs.map((id) => leaveNetwork(db, name, id)))
  await Promise.all([refreshKeys(c.env, name), refreshHosts(c.env, theirs)])
  return c.body(null, 204)
}

/** The Network that the path names, if the caller's account owns it. One that it does not own is as one that does not exist. */
export async function ownNetwork(c: AppContext): Promise<UsableNetwork> {
  const name = c.req.param('network') ?? ''
  const network = await findUsable(database(c.env), c.var.account.id, name)
  if (network?.owned === true) return network
  const message = 'This account owns no such Network. GET /api/networks lists what it may use.'
  throw new ApiError({ code: 'not_found', message })
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
