import {
  type CommandQueued,
  type EnrolmentCreated,
  type HostList,
  commandRequest,
  enrolmentRequest,
} from '@daisi/protocol'
import { PUBLIC_NETWORK, readConfig } from '../config.ts'
import { database } from '../db/client.ts'
import { createEnrolment, listHosts, removeHost } from '../db/hosts.ts'
import { standingOn } from '../db/networks.ts'
import { hashCredential, mintCredential } from '../domain/credential.ts'
import { epochSeconds } from '../domain/time.ts'
import { authorityOf, notAllowedAnyMore } from '../http/authority.ts'
import type { AppContext } from '../http/context.ts'
import { ownHost, unknownHost } from '../http/own-host.ts'
import { readJson } from '../http/read-json.ts'
import { unusableNetwork } from '../http/unusable-network.ts'
import { dismissHost } from '../objects/network-changes.ts'
import { hostStub } from '../objects/stubs.ts'

const DEFAULT_TTL_SECONDS = 3_600

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

/** `POST /api/hosts/:host/commands`: queued until the Host has carried it out (rule Q1). */
export async function postCommand(c: AppContext): Promise<Response> {
  const { value } = await readJson(c.req.raw, commandRequest)
  const hostId = c.req.param('host') ?? ''
  await ownHost(c, hostId)
  const { commandId, delivered } = await hostStub(c.env, hostId).enqueue(value.name)
  return c.json({ command_id: commandId, delivered } satisfies CommandQueued, 202)
}
