import { type AccountCreated, type AccountView, accountRequest, setupRequest } from '@daisi/protocol'
import { readConfig } from '../config.ts'
import { type Account, createAccount, hasOperator } from '../db/accounts.ts'
import { readBalance } from '../db/balances.ts'
import { database, failedOn } from '../db/client.ts'
import { hashCredential, mintCredential } from '../domain/credential.ts'
import { newId } from '../domain/ids.ts'
import type { AppContext } from '../http/context.ts'
import { ApiError } from '../http/errors.ts'
import { readJson } from '../http/read-json.ts'

/** The first operator has a fixed id, so that of two set-ups at once the database lets one through. */
const FIRST_OPERATOR = 'acc_operator'

/** `POST /api/setup`: makes the operator account, once. */
export async function setup(c: AppContext): Promise<Response> {
  if (await hasOperator(database(c.env))) throw alreadySetUp()
  const { value } = await readJson(c.req.raw, setupRequest)
  try {
    return c.json(await newAccount(c, { id: FIRST_OPERATOR, name: value.name, operator: true }), 201)
  } catch (error) {
    throw failedOn(error, 'accounts.id') ? alreadySetUp() : error
  }
}

/** `POST /api/accounts`: makes an account and pays its sign-up grant. */
export async function postAccount(c: AppContext): Promise<Response> {
  const { value } = await readJson(c.req.raw, accountRequest)
  return c.json(await newAccount(c, { id: newId('acc'), name: value.name, operator: false }), 201)
}

/** `GET /api/account`: the caller's own account. */
export async function getAccount(c: AppContext): Promise<Response> {
  const { id, name, operator } = c.var.account
  const balance = await readBalance(database(c.env), id)
  return c.json({ id, name, operator, balance } satisfies AccountView)
}

async function newAccount(c: AppContext, account: Account): Promise<AccountCreated> {
  const { keys, signupGrant } = await readConfig(c.env)
  const token = await mintCredential('account-token', keys.credentialMac)
  const grant = account.operator ? 0 : signupGrant
  await createAccount(
    database(c.env),
    { ...account, tokenHash: await hashCredential(token) },
    grant,
    Date.now(),
  )
  return { id: account.id, name: account.name, token }
}

function alreadySetUp(): ApiError {
  const message = 'This Orc has been set up. Use the operator token made then.'
  return new ApiError({ code: 'conflict', message })
}
