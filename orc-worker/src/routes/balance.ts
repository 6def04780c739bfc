import type { AccountBalance } from '@daisi/protocol'
import { readBalance } from '../db/balances.ts'
import { database } from '../db/client.ts'
import type { AppContext } from '../http/context.ts'
import { ApiError } from '../http/errors.ts'
import { sessionStub } from '../objects/stubs.ts'

/** `GET /v1/balance` (rule S3). */
export async function getBalance(c: AppContext): Promise<Response> {
  const { caller, sessionName } = c.var.consumer
  const view = await sessionStub(c.env, sessionName).view(caller, 'usage')
  if (!view.ok) throw new ApiError(view)
  const balance = await readBalance(database(c.env), view.record.accountId)
  return c.json({ object: 'balance', ...balance } satisfies AccountBalance)
}
