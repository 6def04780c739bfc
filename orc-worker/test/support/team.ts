import type { AccountCreated, InvitationView, MemberList, MemberRole, MembershipView } from '@daisi/protocol'
import { expect } from 'vitest'
import { Browser, INVITED, type LoggedIn, logIn, newAddress } from './browser.ts'
import { call } from './orc.ts'
import { errorCode } from './scene.ts'

/** Status and stable code of an error answer. */
export async function refusal(response: Response): Promise<[number, string]> {
  return [response.status, await errorCode(response)]
}

/** A person with requests for one account. */
export interface Member extends LoggedIn {
  readonly id: string
  act(method: string, path: string, body?: unknown): Promise<Response>
}

function member(person: LoggedIn, account: AccountCreated): Member {
  const headers = { 'daisi-account': account.id }
  return {
    ...person,
    id: person.me.id,
    act: (method, path, body) => person.browser.call(method, path, { body, headers }),
  }
}

/** The invitation that was made. */
export async function invitationOf(response: Response): Promise<InvitationView> {
  if (response.status !== 201) throw new Error(await response.text())
  return response.json<InvitationView>()
}

/** Accepts an invitation. */
export function accept(browser: Browser, id: string): Promise<Response> {
  return browser.call('POST', `/api/me/invitations/${id}/accept`)
}

/** Invites with the account's token. */
export async function inviteByToken(
  account: AccountCreated,
  email: string,
  role: MemberRole,
): Promise<InvitationView> {
  return invitationOf(await call('POST', '/api/members', { token: account.token, body: { email, role } }))
}

/** Somebody new in this account. */
export async function join(account: AccountCreated, role: MemberRole): Promise<Member> {
  const email = newAddress()
  const { id } = await inviteByToken(account, email, role)
  const person = await logIn(email, new Browser(INVITED))
  const response = await accept(person.browser, id)
  expect(await response.json<MembershipView>()).toEqual({ account_id: account.id, role })
  return member(person, account)
}

/** Who is what in this account. */
export async function rolesOf(account: AccountCreated): Promise<Record<string, string>> {
  const list = await call('GET', '/api/members', { token: account.token }).then((response) =>
    response.json<MemberList>(),
  )
  return Object.fromEntries(list.members.map(({ user_id, role }) => [user_id, role]))
}
