import { type AccountCreated, type AccountView, accountRequest, setupRequest } from '@daisi/protocol'
import { readConfig } from '../config.ts'
import { type Account, createAccount, hasOperator, replaceToken } from '../db/accounts.ts'
import { readBalance } from '../db/balances.ts'
import { database, failedOn } from '../db/client.ts'
import { hashCredential, mintCredential } from '../domain/credential.ts'
import { type MemberInvitation, newInvitation } from '../db/member-invitations.ts'
import { OPERATOR_ACCOUNT, newId } from '../domain/ids.ts'
import { authorityOf } from '../http/authority.ts'
import type { AppContext } from '../http/context.ts'
import { ApiError } from '../http/errors.ts'
import { readJson } from '../http/read-json.ts'

/** `POST /api/setup`: makes the operator account, once. */
export async function setup(c: AppContext): Promise<Response> {
  if (await hasOperator(database(c.env))) throw alreadySetUp()
  const { value } = await readJson(c.req.raw, setupRequest)
  try {
    return c.json(await newAccount(c, { id: OPERATOR_ACCOUNT, name: value.name, operator: true }), 201)
  } catch (error) {
    throw failedOn(error, 'accounts.id') ? alreadySetUp() : error
  }
}

/** `POST /api/accounts`: makes an account, pays its sign-up grant, and invites its owner if there is to be one. */
export async function postAccount(c: AppContext): Promise<Response> {
  const { value } = await readJson(c.req.raw, accountRequest)
  return c.json(
    await newAccount(c, { id: newId('acc'), name: value.name, operator: false }, value.owner_email),
    201,
  )
}

/** `GET /api/account`: the caller's own account. */
export async function getAccount(c: AppContext): Promise<Response> {
  const { id, name, operator } = c.var.account
  const balance = await readBalance(database(c.env), id)
  return c.json({ id, name, operator, balance } satisfies AccountView)
}

/** `POST /api/account/token`: another token for the account. The one before is dead at once. */
export async function postAccountToken(c: AppContext): Promise<Response> {
  const { account } = c.var
  const token = await freshToken(c)
  const replacement = { accountId: account.id, tokenHash: await hashCredential(token), by: authorityOf(c) }
  if (!(await replaceToken(database(c.env), replacement, Date.now()))) throw notYours()
  return c.json({ id: account.id, name: account.name, token } satisfies AccountCreated)
}

async function newAccount(c: AppContext, account: Account, ownerEmail?: string): Promise<AccountCreated> {
  const { signupGrant } = await readConfig(c.env)
  const token = await freshToken(c)
  const grant = account.operator ? 0 : signupGrant
  const now = Date.now()
  await createAccount(
    database(c.env),
    { ...account, tokenHash: await hashCredential(token) },
    grant,
    now,
    ownerEmail === undefined ? undefined : ownerInvitation(c, account.id, ownerEmail, now),
  )
  return { id: account.id, name: account.name, token }
}

function ownerInvitation(c: AppContext, accountId: string, email: string, now: number): MemberInvitation {
  const invitedBy = c.var.actor.person?.userId ?? c.var.account.id
  return newInvitation({ accountId, email, role: 'owner', invitedBy }, now)
}

async function freshToken(c: AppContext): Promise<string> {
  const { keys } = await readConfig(c.env)
  return mintCredential('account-token', keys.credentialMac)
}

function notYours(): ApiError {
  const message =
    'This token is not yours to replace. Ask an owner of the account, or an operator for theirs.'
  return new ApiError({ code: 'forbidden', message })
}

function alreadySetUp(): ApiError {
  const message = 'This Orc has been set up. Use the operator token made then.'
  return new ApiError({ code: 'conflict', message })
}
