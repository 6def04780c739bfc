import type { MemberRole } from '@daisi/protocol'
import { readConfig } from '../config.ts'
import { type Account, findAccount, findAccountByToken } from '../db/accounts.ts'
import { database } from '../db/client.ts'
import { membershipsOf } from '../db/members.ts'
import { isOperator } from '../db/operators.ts'
import { checkCredential } from '../domain/credential.ts'
import { OPERATOR_ACCOUNT } from '../domain/ids.ts'
import { isAtLeast } from '../domain/roles.ts'
import { bearer, invalidCredential } from './bearer.ts'
import type { Actor, AppContext, Person } from './context.ts'
import { requireSameOrigin } from './csrf.ts'
import { ApiError } from './errors.ts'
import { logRequest } from './log-request.ts'
import { hasLoginCookie, readLogin } from './login-cookie.ts'

interface Acting {
  readonly account: Account
  readonly actor: Actor
}

/** Lets in people who are logged in. */
export async function admitUser(c: AppContext): Promise<void> {
  // What is written on purpose counts, not what a browser adds: no token makes a person.
  if (c.req.header('authorization') !== undefined) throw invalidCredential()
  if (!hasLoginCookie(c)) throw notLoggedIn()
  c.set('person', await personOf(c))
}

/** Lets in who may act for an account in this role: a program with its token, or a member. */
export function admitRole(needed: MemberRole): (c: AppContext) => Promise<void> {
  return async function admitMember(c) {
    const { account, actor } = isByCookie(c) ? await memberOf(c, await personOf(c)) : await accountOfToken(c)
    if (!isAtLeast(actor.role, needed)) throw forbidden(needed)
    c.set('account', account)
    c.set('actor', actor)
  }
}

/** Lets in operators of the platform: people by a grant of their own, and programs with the token of the operator account. */
export async function admitOperator(c: AppContext): Promise<void> {
  const person = isByCookie(c) ? await personOf(c) : undefined
  const acting = person === undefined ? await accountOfToken(c) : await operatorAccountFor(c, person)
  if (acting?.account.operator !== true)
    throw new ApiError({ code: 'forbidden', message: 'Only an operator may do this.' })
  if (person !== undefined) {
    const { method, routePath: route } = c.req
    logRequest(c, 'operator_action', { userId: person.userId, method, route })
  }
  c.set('account', acting.account)
  c.set('actor', acting.actor)
}

/** True if a login cookie speaks for this request. A token beside it wins. Without either, a token is missing. */
function isByCookie(c: AppContext): boolean {
  return c.req.header('authorization') === undefined && hasLoginCookie(c)
}

async function personOf(c: AppContext): Promise<Person> {
  requireSameOrigin(c)
  // What one person is answered, no cache keeps for the next. Hono carries it over to the answer.
  c.res.headers.set('cache-control', 'no-store')
  const person = await readLogin(c)
  if (person === undefined) throw notLoggedIn()
  return person
}

async function memberOf(c: AppContext, person: Person): Promise<Acting> {
  const named = c.req.header('daisi-account')
  const [membership, another] = await membershipsOf(database(c.env), person.userId, named)
  if (membership === undefined) {
    throw named === undefined
      ? new ApiError({
          code: 'forbidden',
          message: 'You are a member of no account. Accept an invitation to one.',
        })
      : new ApiError({ code: 'not_found', message: 'You are a member of no account with this id.' })
  }
  if (another !== undefined) {
    throw new ApiError({
      code: 'invalid_request',
      message: 'You are a member of several accounts. Name one of them with the header Daisi-Account.',
      param: 'Daisi-Account',
    })
  }
  return { account: membership.account, actor: { role: membership.role, person } }
}

async function operatorAccountFor(c: AppContext, person: Person): Promise<Acting | undefined> {
  const db = database(c.env)
  const account = (await isOperator(db, person.userId)) ? await findAccount(db, OPERATOR_ACCOUNT) : undefined
  return account === undefined ? undefined : { account, actor: { role: 'owner', person } }
}

async function accountOfToken(c: AppContext): Promise<Acting> {
  const { keys } = await readConfig(c.env)
  const tokenHash = await checkCredential('account-token', bearer(c), keys.credentialMac)
  const account = tokenHash === undefined ? undefined : await findAccountByToken(database(c.env), tokenHash)
  if (tokenHash === undefined || account === undefined) throw invalidCredential()
  return { account, actor: { role: 'owner', person: undefined, tokenHash } }
}

function notLoggedIn(): ApiError {
  return new ApiError({
    code: 'missing_credentials',
    message: 'You are not logged in, or not any more. Log in.',
  })
}

function forbidden(needed: MemberRole): ApiError {
  const message = `This takes the role ${needed} in the account, or a higher one. Ask an owner of the account.`
  return new ApiError({ code: 'forbidden', message })
}
