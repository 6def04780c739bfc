import {
  type CommandName,
  type CommandQueued,
  type EnrolmentCreated,
  type HostDetails,
  type HostList,
  commandArguments,
  commandRequest,
  enrolmentRequest,
} from '@daisi/protocol'
import { PUBLIC_NETWORK, readConfig } from '../config.ts'
import { findCatalogueModel } from '../db/catalogue.ts'
import { database } from '../db/client.ts'
import { createEnrolment, listHosts, removeHost } from '../db/hosts.ts'
import { standingOn } from '../db/networks.ts'
import { hashCredential, mintCredential } from '../domain/credential.ts'
import { hostDetailsOf } from '../domain/host-details.ts'
import { isAtLeast } from '../domain/roles.ts'
import { epochSeconds } from '../domain/time.ts'
import { authorityOf, notAllowedAnyMore } from '../http/authority.ts'
import type { AppContext } from '../http/context.ts'
import { ApiError } from '../http/errors.ts'
import { ownHost, unknownHost } from '../http/own-host.ts'
import { readJson } from '../http/read-json.ts'
import { unusableNetwork } from '../http/unusable-network.ts'
import { dismissHost } from '../objects/network-changes.ts'
import { hostStub } from '../objects/stubs.ts'

const DEFAULT_TTL_SECONDS = 3_600

/** What changes more than whether a Host works at the moment takes as much as removing it. */
const OWNER_COMMANDS: ReadonlySet<CommandName> = new Set(['settings', 'model-add', 'model-remove'])

/** `POST /api/host-enrolments`: a token that lets one Host in, once. */
export async function postEnrolment(c: AppContext): Promise<Response> {
  const { value } = await readJson(c.req.raw, enrolmentRequest)
  const network = value.network ?? PUBLIC_NETWORK
  if ((await standingOn(database(c.env), c.var.account.id, network)) === undefined)
    throw unusableNetwork(network, 'network')
  const { keys } = await readConfig(c.env)
  const token = await mintCredential('enrolment-token', keys.credentialMac)
  const now = Date.now()
  const expiresAt = now + (value.ttl_seconds ?? DEFAULT_TTL_SECONDS) * 1000
  const hash = await hashCredential(token)
  const enrolment = { hash, accountId: c.var.account.id, by: authorityOf(c), network, expiresAt }
  if (!(await createEnrolment(database(c.env), enrolment, now))) throw notAllowedAnyMore()
  return c.json({ token, network, expires_at: epochSeconds(expiresAt) } satisfies EnrolmentCreated, 201)
}

/** `GET /api/hosts`: the caller's Hosts. */
export async function getHosts(c: AppContext): Promise<Response> {
  const rows = await listHosts(database(c.env), c.var.account.id)
  const hosts = await Promise.all(
    rows.map(async ({ id, name, alias, networks }) => {
      return { id, name, alias, networks: [...networks], online: await hostStub(c.env, id).isOnline() }
    }),
  )
  return c.json({ hosts } satisfies HostList)
}

/** `DELETE /api/hosts/:host`: removes a Host for good and drops its connection (rule C4). May be repeated. */
export async function deleteHost(c: AppContext): Promise<Response> {
  const hostId = c.req.param('host') ?? ''
  if (!(await removeHost(database(c.env), hostId, c.var.account.id, Date.now()))) throw unknownHost()
  await dismissHost(c.env, hostId)
  return c.body(null, 204)
}

/** `GET /api/hosts/:host`: one Host, and what it says of itself. */
export async function getHost(c: AppContext): Promise<Response> {
  const { id, name, alias, networks } = await ownHost(c, c.req.param('host') ?? '')
  const described = await hostStub(c.env, id).describe()
  const view = { id, name, alias, networks: [...networks] }
  return c.json(hostDetailsOf(view, described) satisfies HostDetails)
}

/** `POST /api/hosts/:host/commands`: queued until the Host has carried it out (rule Q1). */
export async function postCommand(c: AppContext): Promise<Response> {
  const { value: order } = await readJson(c.req.raw, commandRequest)
  const hostId = c.req.param('host') ?? ''
  const host = hostStub(c.env, (await ownHost(c, hostId)).id)
  const generation = await host.rightsGeneration()
  // Looked up again: it may have been handed over before the generation was read.
  await ownHost(c, hostId)
  if (OWNER_COMMANDS.has(order.name) && !isAtLeast(c.var.actor.role, 'owner')) {
    const message = `Only an owner of the account may send \`${order.name}\`. Ask one.`
    throw new ApiError({ code: 'forbidden', message })
  }
  if (order.name === 'model-add') await checkCatalogue(c, order.arguments)
  const queued = await host.enqueue(order, generation)
  if (queued === 'changed') {
    const message = 'What this Host may do changed in this very moment. Send the command again.'
    throw new ApiError({ code: 'storage_unavailable', message, retryAfterSeconds: 1 })
  }
  if (queued === 'full') {
    const message = 'Too many commands wait for this Host already. Have it connect and carry them out first.'
    throw new ApiError({ code: 'conflict', message })
  }
  const { commandId, delivered } = queued
  return c.json({ command_id: commandId, delivered } satisfies CommandQueued, 202)
}

/** A Host is told of models of the catalogue only (rule Q6). */
async function checkCatalogue(c: AppContext, given: unknown): Promise<void> {
  const { id, sha256 } = commandArguments['model-add'].parse(given)
  const entry = await findCatalogueModel(database(c.env), id)
  if (entry?.sha256 === sha256) return
  const message = 'The catalogue of this Orc has no such file under this id. GET /host/v1/catalogue lists it.'
  throw new ApiError({ code: 'invalid_request', message, param: 'arguments' })
}
