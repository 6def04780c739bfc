import { database } from '../db/client.ts'
import { type HostRecord, findHost } from '../db/hosts.ts'
import type { AppContext } from './context.ts'
import { ApiError } from './errors.ts'

/** The Host with this id, which has to be one of the caller's account. Throws `unknownHost` for another's as for one that does not exist. */
export async function ownHost(c: AppContext, hostId: string): Promise<HostRecord> {
  const host = await findHost(database(c.env), hostId)
  if (host?.accountId !== c.var.account.id) throw unknownHost()
  return host
}

/** For every request that names a Host which the caller's account does not have. */
export function unknownHost(): ApiError {
  const message = 'This account has no such Host. GET /api/hosts lists them.'
  return new ApiError({ code: 'not_found', message })
}
