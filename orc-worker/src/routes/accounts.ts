import { type AccountCreated, type AccountView, accountRequest, setupRequest } from '@daisi/protocol'
import { readConfig } from '../config.ts'
import { createAccount, hasOperator } from '../db/accounts.ts'
import { database } from '../db/client.ts'
import { auditBook, readBalance } from '../db/ledger.ts'
import { hashCredential, mintCredential } from '../domain/credential.ts'
import { newId } from '../domain/ids.ts'
import type { AppContext } from '../http/context.ts'
import { ApiError } from '../http/errors.ts'
import { readJson } from '../http/read-json.ts'

/** `POST /api/setup`: makes the operator account, once. */
export async function setup(c: AppContext): Promise<Response> {
  const { value } = await readJson(c.req.raw, setupRequest)
  if (await hasOperator(database(c.env))) {
    throw new ApiError({
      code: 'conflict',
      message: 'This Orc has been set up. Use the operator token made then.',
    })
  }
  return c.json(await newAccount(c, value.name, true), 201)
}

/** `POST /api/accounts`: makes an account and pays its sign-up grant. */
export async function postAccount(c: AppContext): Promise<Response> {
  const { value } = await readJson(c.req.raw, accountRequest)
  return c.json(await newAccount(c, value.name, false), 201)
}

/** `GET /api/account`: the caller's own account. */
export async function getAccount(c: AppContext): Promise<Response> {
  const { id, name, operator } = c.var.account
  const balance = await readBalance(database(c.env), id)
  return c.json({ id, name, operator, balance } satisfies AccountView)
}

/** `GET /api/audit`: recomputes the book. */
export async function getAudit(c: AppContext): Promise<Response> {
  return c.json(await auditBook(database(c.env)))
}

async function newAccount(c: AppContext, name: string, operator: boolean): Promise<AccountCreated> {
  const { keys, signupGrant } = await readConfig(c.env)
  const token = await mintCredential('account-token', keys.credentialMac)
  const account = { id: newId('acc'), name, operator, tokenHash: await hashCredential(token) }
  await createAccount(database(c.env), account, operator ? 0 : signupGrant, Date.now())
  return { id: account.id, name, token }
}
