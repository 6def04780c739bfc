import { type DeviceGrantView, deviceCodeRequest } from '@daisi/protocol'
import { readConfig } from '../config.ts'
import { database } from '../db/client.ts'
import { type DeviceGrant, decideDeviceGrant, findDeviceGrant } from '../db/device-grants.ts'
import { epochSeconds } from '../domain/time.ts'
import { authorityOf } from '../http/authority.ts'
import type { AppContext } from '../http/context.ts'
import { ApiError } from '../http/errors.ts'
import { readJson } from '../http/read-json.ts'
import { guardUserCode } from '../http/user-code-guard.ts'

/** `POST /api/device/lookup`: who is it that asks to be let in (RFC 8628 §5.4). */
export async function lookUpDevice(c: AppContext): Promise<Response> {
  const { value } = await readJson(c.req.raw, deviceCodeRequest)
  const { keys } = await readConfig(c.env)
  const grant = await guardUserCode(c, () =>
    findDeviceGrant(database(c.env), keys, value.user_code, Date.now()),
  )
  if (grant === undefined) throw noSuchCode()
  return answer(c, grant)
}

/** `POST /api/device/approve`: the caller's account takes the Host as its own. */
export function approveDevice(c: AppContext): Promise<Response> {
  return decide(c, true)
}

/** `POST /api/device/deny`. */
export function denyDevice(c: AppContext): Promise<Response> {
  return decide(c, false)
}

async function decide(c: AppContext, approve: boolean): Promise<Response> {
  const { value } = await readJson(c.req.raw, deviceCodeRequest)
  const { keys } = await readConfig(c.env)
  const accountId = c.var.account.id
  const decision = await guardUserCode(c, async () => {
    const made = await decideDeviceGrant(
      database(c.env),
      keys,
      value.user_code,
      { accountId, by: authorityOf(c), approve },
      Date.now(),
    )
    return made.ok || made.reason !== 'not_found' ? made : undefined
  })
  if (decision === undefined) throw noSuchCode()
  if (decision.ok) return answer(c, decision.grant)
  const message = `This account may not put Hosts on Network ${decision.grant.network}. Start the Host with another one.`
  throw new ApiError({ code: 'network_not_allowed', message, param: 'user_code' })
}

function answer(c: AppContext, grant: DeviceGrant): Response {
  const view = {
    host_id: grant.hostId,
    host_name: grant.hostName,
    network: grant.network,
    address: grant.address,
    created_at: epochSeconds(grant.createdAt),
    expires_at: epochSeconds(grant.expiresAt),
  } satisfies DeviceGrantView
  return c.json(view, 200, { 'cache-control': 'no-store' })
}

function noSuchCode(): ApiError {
  const message = 'No Host waits with this code. Compare it with what the Host shows; it lasts ten minutes.'
  return new ApiError({ code: 'not_found', message, param: 'user_code' })
}
