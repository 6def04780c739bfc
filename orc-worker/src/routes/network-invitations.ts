import {
  type InvitationAccepted,
  type NetworkInvitationCreated,
  type NetworkInvitationList,
  invitationAcceptance,
  networkInvitationRequest,
} from '@daisi/protocol'
import { readConfig } from '../config.ts'
import { database } from '../db/client.ts'
import {
  createInvitation,
  openInvitations,
  useInvitation,
  withdrawInvitation,
} from '../db/network-invitations.ts'
import { checkCredential, hashCredential, mintCredential } from '../domain/credential.ts'
import { newId } from '../domain/ids.ts'
import { epochSeconds } from '../domain/time.ts'
import { authorityOf, notAllowedAnyMore } from '../http/authority.ts'
import type { AppContext } from '../http/context.ts'
import { ApiError } from '../http/errors.ts'
import { ownHost } from '../http/own-host.ts'
import { readJson } from '../http/read-json.ts'
import { refreshHosts } from '../objects/network-changes.ts'
import { ownNetwork } from './networks.ts'

const DEFAULT_TTL_SECONDS = 7 * 24 * 3_600

/** `POST /api/networks/:network/invitations`: a token that lets one account or one Host in, once. */
export async function postNetworkInvitation(c: AppContext): Promise<Response> {
  const { name: network } = await ownNetwork(c)
  const { value } = await readJson(c.req.raw, networkInvitationRequest)
  const { keys } = await readConfig(c.env)
  const token = await mintCredential('network-invitation', keys.credentialMac)
  const now = Date.now()
  const expiresAt = now + (value.ttl_seconds ?? DEFAULT_TTL_SECONDS) * 1000
  const invitation = { id: newId('inv'), kind: value.kind, expiresAt }
  const hash = await hashCredential(token)
  const made = { ...invitation, network, hash, accountId: c.var.account.id, by: authorityOf(c) }
  if (!(await createInvitation(database(c.env), made, now))) throw notAllowedAnyMore()
  const { id, kind } = invitation
  const created = { id, network, kind, token, expires_at: epochSeconds(expiresAt) }
  return c.json(created satisfies NetworkInvitationCreated, 201)
}

/** `GET /api/networks/:network/invitations`: those that can still be used. */
export async function getNetworkInvitations(c: AppContext): Promise<Response> {
  const { name } = await ownNetwork(c)
  const open = await openInvitations(database(c.env), name, Date.now())
  const invitations = open.map(({ id, kind, expiresAt }) => {
    return { id, kind, expires_at: epochSeconds(expiresAt) }
  })
  return c.json({ invitations } satisfies NetworkInvitationList)
}

/** `DELETE /api/networks/:network/invitations/:invitation`. */
export async function deleteNetworkInvitation(c: AppContext): Promise<Response> {
  const { name } = await ownNetwork(c)
  const id = c.req.param('invitation') ?? ''
  if (!(await withdrawInvitation(database(c.env), name, id, Date.now())))
    throw new ApiError({ code: 'not_found', message: 'There is no such invitation that can still be used.' })
  return c.body(null, 204)
}

/** `POST /api/network-invitations/accept`: for the caller's account, or for a Host of it. */
export async function acceptNetworkInvitation(c: AppContext): Promise<Response> {
  const { value } = await readJson(c.req.raw, invitationAcceptance)
  const { keys } = await readConfig(c.env)
  const db = database(c.env)
  const accountId = c.var.account.id
  const hash = await checkCredential('network-invitation', value.token, keys.credentialMac)
  const { host: hostId } = value
  if (hostId !== undefined) await ownHost(c, hostId)
  const accepted =
    hash === undefined ? undefined : await useInvitation(db, { hash, accountId, hostId }, Date.now())
  if (accepted === undefined) {
    const message =
      'This invitation is unknown, used, withdrawn, expired, or for the other kind. Ask for a new one.'
    throw new ApiError({ code: 'not_found', message, param: 'token' })
  }
  if (hostId !== undefined) await refreshHosts(c.env, [hostId])
  return c.json(accepted satisfies InvitationAccepted)
}
