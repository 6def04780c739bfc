import type { HostJoined, NetworkHostList } from '@daisi/protocol'
import { database } from '../db/client.ts'
import { approveHost, forgetHosts, hostsOfNetwork, joinStatement, leaveNetwork } from '../db/host-networks.ts'
import { standingOn } from '../db/networks.ts'
import type { AppContext } from '../http/context.ts'
import { ApiError } from '../http/errors.ts'
import { ownHost } from '../http/own-host.ts'
import { unusableNetwork } from '../http/unusable-network.ts'
import { refreshHosts } from '../objects/network-changes.ts'
import { ownNetwork } from './networks.ts'

/** `PUT /api/hosts/:host/networks/:network`: the Host joins, or asks to where another account decides. */
export async function joinNetwork(c: AppContext): Promise<Response> {
  const { hostId, network } = await namedByPath(c)
  const db = database(c.env)
  const status = await standingOn(db, c.var.account.id, network)
  if (status === undefined) throw unusableNetwork(network, 'network')
  await joinStatement(db, { hostId, accountId: c.var.account.id, network, status }, Date.now())
  await refreshHosts(c.env, [hostId])
  const hosts = await hostsOfNetwork(db, network)
  const joined = hosts.find(({ id }) => id === hostId)?.status ?? status
  return c.json({ network, status: joined } satisfies HostJoined)
}

/** `DELETE /api/hosts/:host/networks/:network`: the Host leaves; no more Jobs come from there. */
export async function leaveNetworkOfHost(c: AppContext): Promise<Response> {
  const { hostId, network } = await namedByPath(c)
  if (!(await endService(c.env, network, hostId)))
    throw new ApiError({ code: 'not_found', message: 'This Host is not on that Network.' })
  return c.body(null, 204)
}

/** `GET /api/networks/:network/hosts`: what serves the caller's Network, or asks to. Whose they are is not said. */
export async function getNetworkHosts(c: AppContext): Promise<Response> {
  const { name } = await ownNetwork(c)
  const hosts = await hostsOfNetwork(database(c.env), name)
  const views = hosts.map(({ id, alias, name: hostName, status }) => ({ id, alias, name: hostName, status }))
  return c.json({ hosts: views } satisfies NetworkHostList)
}

/** `POST /api/networks/:network/hosts/:host/approve`. */
export async function approveNetworkHost(c: AppContext): Promise<Response> {
  const { name } = await ownNetwork(c)
  const hostId = c.req.param('host') ?? ''
  if (!(await approveHost(database(c.env), name, hostId))) throw notThere()
  await refreshHosts(c.env, [hostId])
  return c.body(null, 204)
}

/** `DELETE /api/networks/:network/hosts/:host`: declines a Host, or sends it away at once. */
export async function deleteNetworkHost(c: AppContext): Promise<Response> {
  const { name } = await ownNetwork(c)
  const hostId = c.req.param('host') ?? ''
  if (!(await endService(c.env, name, hostId))) throw notThere()
  return c.body(null, 204)
}

/** A Host is off a Network. False if it was not there. It is forgotten once its object knows: a failure before leaves all to repeat. */
async function endService(env: Env, network: string, hostId: string): Promise<boolean> {
  const db = database(env)
  if (!(await leaveNetwork(db, network, hostId))) return false
  await refreshHosts(env, [hostId])
  await forgetHosts(db, network, [hostId])
  return true
}

async function namedByPath(c: AppContext): Promise<{ hostId: string; network: string }> {
  const { id } = await ownHost(c, c.req.param('host') ?? '')
  return { hostId: id, network: c.req.param('network') ?? '' }
}

function notThere(): ApiError {
  return new ApiError({ code: 'not_found', message: 'No such Host serves this Network or asks to.' })
}
