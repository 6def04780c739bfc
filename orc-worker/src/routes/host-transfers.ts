import { type TransferAccepted, type TransferOffered, transferAcceptance } from '@daisi/protocol'
import { readConfig } from '../config.ts'
import { database } from '../db/client.ts'
import { acceptTransfer, offerTransfer } from '../db/host-transfers.ts'
import { checkCredential, hashCredential, mintCredential } from '../domain/credential.ts'
import { epochSeconds } from '../domain/time.ts'
import { authorityOf } from '../http/authority.ts'
import type { AppContext } from '../http/context.ts'
import { ApiError } from '../http/errors.ts'
import { unknownHost } from '../http/own-host.ts'
import { readJson } from '../http/read-json.ts'
import { handOverHost } from '../objects/network-changes.ts'

const OFFER_SECONDS = 3_600

/** `POST /api/hosts/:host/transfer`: a token with which another account takes the Host over. */
export async function postTransfer(c: AppContext): Promise<Response> {
  const { keys } = await readConfig(c.env)
  const token = await mintCredential('host-transfer', keys.credentialMac)
  const now = Date.now()
  const expiresAt = now + OFFER_SECONDS * 1000
  const hostId = c.req.param('host') ?? ''
  const accountId = c.var.account.id
  const offer = { hash: await hashCredential(token), hostId, accountId, by: authorityOf(c), expiresAt }
  if (!(await offerTransfer(database(c.env), offer, now))) throw unknownHost()
  return c.json({ token, expires_at: epochSeconds(expiresAt) } satisfies TransferOffered, 201)
}

/** `POST /api/host-transfers/accept`: from now on the Host earns for the caller's account. What runs ends, and is paid to the former. */
export async function acceptHostTransfer(c: AppContext): Promise<Response> {
  const { value } = await readJson(c.req.raw, transferAcceptance)
  const { keys } = await readConfig(c.env)
  const hash = await checkCredential('host-transfer', value.token, keys.credentialMac)
  const accountId = c.var.account.id
  const host =
    hash === undefined ? undefined : await acceptTransfer(database(c.env), hash, accountId, Date.now())
  if (host === undefined) {
    const message = 'This offer is unknown, used or expired. Ask the owner for a new one.'
    throw new ApiError({ code: 'not_found', message, param: 'token' })
  }
  await handOverHost(c.env, host)
  return c.json({ host } satisfies TransferAccepted)
}
