import { type AdjustmentMade, type FreezeMade, adjustmentRequest, freezeRequest } from '@daisi/protocol'
import { type AdjustOutcome, adjustAccount, freezeAccount } from '../db/operator-credits.ts'
import { readBalance } from '../db/balances.ts'
import { database } from '../db/client.ts'
import type { AppContext } from '../http/context.ts'
import { ApiError, type Failure } from '../http/errors.ts'
import { readIdempotency } from '../http/idempotency.ts'
import { readJson } from '../http/read-json.ts'
import { recallLeases } from '../objects/bookkeeper/reconcile.ts'

/** A freeze without an amount: more than any balance can become. */
const EVERYTHING = Number.MAX_SAFE_INTEGER

/** `POST /api/accounts/:account/adjustments`: gives credits or takes them, once for each Idempotency-Key. */
export async function postAdjustment(c: AppContext): Promise<Response> {
  const { value, text } = await readJson(c.req.raw, adjustmentRequest)
  const idempotency = await readIdempotency(c.req.header('idempotency-key'), text)
  if (idempotency === undefined) {
    throw new ApiError({
      code: 'invalid_request',
      message: 'Send the header Idempotency-Key, for instance a UUID, so that a retry cannot adjust twice.',
      param: 'Idempotency-Key',
    })
  }
  const { key } = idempotency
  const accountId = c.req.param('account') ?? ''
  const db = database(c.env)
  // What lies in leases cannot be taken.
  if (value.amount < 0) await recallLeases(c.env, db, accountId)
  const outcome = await adjustAccount(db, { id: key, accountId, ...value }, Date.now())
  if (outcome !== 'posted') throw new ApiError(REFUSALS[outcome])
  const balance = await readBalance(db, accountId)
  return c.json({ id: `adjust:${key}`, balance } satisfies AdjustmentMade, 201)
}

/** `POST /api/accounts/:account/freezes`: how much of the balance cannot be spent from now on. */
export async function postFreeze(c: AppContext): Promise<Response> {
  const { value } = await readJson(c.req.raw, freezeRequest)
  const { amount = EVERYTHING, note } = value
  const accountId = c.req.param('account') ?? ''
  const db = database(c.env)
  const freeze = { accountId, amount, note, operatorId: c.var.account.id }
  if (!(await freezeAccount(db, freeze, Date.now()))) throw new ApiError(REFUSALS.unknown_account)
  // Sessions refill from what is not frozen; what they had before comes back now, but for what running Jobs hold.
  if (amount > 0 && (await recallLeases(c.env, db, accountId)) > 0) throw new ApiError(NOT_ALL_RECALLED)
  return c.json({ balance: await readBalance(db, accountId) } satisfies FreezeMade, 201)
}

const NOT_ALL_RECALLED: Failure = {
  code: 'storage_unavailable',
  message: 'The freeze stands, but not every Session gave back what it had reserved. Send it again.',
  retryAfterSeconds: 2,
}

const REFUSALS: Readonly<Record<Exclude<AdjustOutcome, 'posted'>, Failure>> = {
  unknown_account: { code: 'not_found', message: 'There is no such account. Check its id.' },
  conflict: {
    code: 'conflict',
    message: 'Another adjustment was made under this Idempotency-Key. Use a new key for a new adjustment.',
  },
  overdraft: {
    code: 'insufficient_credits',
    message: 'The account has fewer credits than this outside of running Jobs. Take less.',
  },
  too_large: {
    code: 'invalid_request',
    message: 'A balance would grow beyond what the book can hold. Give less.',
    param: 'amount',
  },
}
