import { emailAddress } from '@daisi/protocol'
import { readConfig } from '../config.ts'
import { database } from '../db/client.ts'
import { acceptInvitation, invitationsTo } from '../db/member-invitations.ts'
import { listPasskeys } from '../db/passkeys.ts'
import { HOME_PATH, loginPath, returnPath } from '../domain/return-path.ts'
import type { AppContext, Person } from '../http/context.ts'
import { ApiError } from '../http/errors.ts'
import { isFresh } from '../http/fresh-login.ts'
import { readPageForm } from '../http/page-form.ts'
import { endLogin, readLogin } from '../http/login-cookie.ts'
import { redirectTo } from '../http/redirect.ts'
import { enterLoginCode, home, waysIn } from '../pages/login-pages.ts'
import { pageResponse } from '../pages/page.ts'
import { PASSKEY_LOGIN_SCRIPT, PASSKEY_MANAGE_SCRIPT } from '../pages/passkey-script.ts'
import { beginEmailLogin, finishEmailLogin } from './login.ts'

/** `GET /login`: the ways in, or what somebody sees who is in. */
export async function getLoginPage(c: AppContext): Promise<Response> {
  const next = returnPath(c.req.query('return_to'))
  const person = await readLogin(c)
  if (person === undefined) return loginPage(c, next)
  return next === HOME_PATH ? homePage(c, person) : redirectTo(next)
}

/** `POST /login/email`: sends a code, exactly as `POST /api/login/email` does. */
export async function postLoginEmail(c: AppContext): Promise<Response> {
  const fields = await readPageForm(c)
  const next = returnPath(fields.get('return_to'))
  const email = emailAddress.safeParse(fields.get('email') ?? '')
  if (!email.success) return loginPage(c, next, 'This is no e-mail address. Correct it and try again.')
  const { flow } = await beginEmailLogin(c, email.data)
  return codePage(c, { email: email.data, flow, next })
}

/** `POST /login/code`: checks the code, exactly as `POST /api/login/email/verify` does. */
export async function postLoginCode(c: AppContext): Promise<Response> {
  const fields = await readPageForm(c)
  const next = returnPath(fields.get('return_to'))
  const flow = fields.get('flow') ?? ''
  // People copy it with spaces and dashes.
  const code = (fields.get('code') ?? '').replaceAll(/[\s-]/g, '')
  try {
    await finishEmailLogin(c, flow, code)
  } catch (error) {
    if (!(error instanceof ApiError) || error.failure.code !== 'login_failed') throw error
    return codePage(c, { email: fields.get('email') ?? '', flow, next }, error.failure.message)
  }
  return redirectTo(next)
}

/** `POST /login/end`: logs this browser out. */
export async function postLoginEnd(c: AppContext): Promise<Response> {
  await readPageForm(c)
  await endLogin(c)
  return redirectTo(HOME_PATH)
}

/** `POST /login/invitation`: joins an account. */
export async function postLoginInvitation(c: AppContext): Promise<Response> {
  const { userId, email } = c.var.person
  const id = (await readPageForm(c)).get('invitation') ?? ''
  // An invitation that is gone is no longer on the page that this leads to.
  if (email !== null) await acceptInvitation(database(c.env), { id, userId, email }, Date.now())
  return redirectTo(HOME_PATH)
}

async function loginPage(c: AppContext, next: string, problem?: string): Promise<Response> {
  const { name, email, github } = await readConfig(c.env)
  return pageResponse({
    title: 'Log in',
    orcName: name,
    body: waysIn({ email: email.kind !== 'off', github: github !== undefined }, next, problem),
    script: PASSKEY_LOGIN_SCRIPT,
    status: problem === undefined ? 200 : 400,
  })
}

async function codePage(
  c: AppContext,
  login: { readonly email: string; readonly flow: string; readonly next: string },
  problem?: string,
): Promise<Response> {
  const { name } = await readConfig(c.env)
  const again = loginPath(login.next)
  return pageResponse({
    title: 'Enter your code',
    orcName: name,
    body: enterLoginCode({ ...login, again }, problem),
    status: problem === undefined ? 200 : 401,
  })
}

async function homePage(c: AppContext, person: Person): Promise<Response> {
  const db = database(c.env)
  const mayChangePasskeys = isFresh(person, Date.now())
  const [{ name }, passkeys, invitations] = await Promise.all([
    readConfig(c.env),
    listPasskeys(db, person.userId),
    person.email === null ? [] : invitationsTo(db, person.email, Date.now()),
  ])
  return pageResponse({
    title: 'Logged in',
    orcName: name,
    body: home({
      label: person.email ?? person.name,
      invitations: invitations.map(({ id, account, role }) => ({ id, account: account.name, role })),
      passkeys,
      mayChangePasskeys,
    }),
    ...(mayChangePasskeys ? { script: PASSKEY_MANAGE_SCRIPT } : {}),
  })
}
