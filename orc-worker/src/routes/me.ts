import type { LoginSessionList, MeView, MembershipView, OwnInvitationList } from '@daisi/protocol'
import { database } from '../db/client.ts'
import { listLoginSessions, revokeOtherLoginSessions, revokeOwnLoginSession } from '../db/login-sessions.ts'
import { acceptInvitation, invitationsTo } from '../db/member-invitations.ts'
import { membershipsOf } from '../db/members.ts'
import { isOperator } from '../db/operators.ts'
import { epochSeconds } from '../domain/time.ts'
import type { AppContext } from '../http/context.ts'
import { ApiError } from '../http/errors.ts'

/** `GET /api/me`: the person, and what they may act for. */
export async function getMe(c: AppContext): Promise<Response> {
  const { userId, name, email } = c.var.person
  const db = database(c.env)
  const [memberships, operator] = await Promise.all([
    membershipsOf(db, userId, undefined),
    isOperator(db, userId),
  ])
  const accounts = memberships.map(({ account, role }) => ({ id: account.id, name: account.name, role }))
  return c.json({ id: userId, name, email, operator, accounts } satisfies MeView)
}

/** `GET /api/me/sessions`: the browsers in which the person is logged in. */
export async function getLoginSessions(c: AppContext): Promise<Response> {
  const { userId, loginSessionId } = c.var.person
  const sessions = await listLoginSessions(database(c.env), userId, Date.now())
  const views = sessions.map(({ id, label, createdAt, lastSeenAt }) => ({
    id,
    label,
    created_at: epochSeconds(createdAt),
    last_seen_at: epochSeconds(lastSeenAt),
    current: id === loginSessionId,
  }))
  return c.json({ sessions: views } satisfies LoginSessionList)
}

/** `DELETE /api/me/sessions/:session`: logs one browser out. */
export async function deleteLoginSession(c: AppContext): Promise<Response> {
  const id = c.req.param('session') ?? ''
  if (await revokeOwnLoginSession(database(c.env), id, c.var.person.userId, Date.now()))
    return c.body(null, 204)
  throw new ApiError({
    code: 'not_found',
    message: 'You have no such login. GET /api/me/sessions lists them.',
  })
}

/** `DELETE /api/me/sessions`: logs every other browser out. */
export async function deleteOtherLoginSessions(c: AppContext): Promise<Response> {
  const { userId, loginSessionId } = c.var.person
  await revokeOtherLoginSessions(database(c.env), userId, loginSessionId, Date.now())
  return c.body(null, 204)
}

/** `GET /api/me/invitations`: accounts that the person may join. */
export async function getOwnInvitations(c: AppContext): Promise<Response> {
  const { email } = c.var.person
  const open = email === null ? [] : await invitationsTo(database(c.env), email, Date.now())
  const invitations = open.map(({ id, account, role, expiresAt }) => ({
    id,
    account,
    role,
    expires_at: epochSeconds(expiresAt),
  }))
  return c.json({ invitations } satisfies OwnInvitationList)
}

/** `POST /api/me/invitations/:invitation/accept`. */
export async function postAcceptance(c: AppContext): Promise<Response> {
  const { userId, email } = c.var.person
  const id = c.req.param('invitation') ?? ''
  const joined =
    email === null ? undefined : await acceptInvitation(database(c.env), { id, userId, email }, Date.now())
  if (joined === undefined) {
    const message = 'There is no such invitation for you, or not any more. Ask for another one.'
    throw new ApiError({ code: 'not_found', message })
  }
  return c.json({ account_id: joined.accountId, role: joined.role } satisfies MembershipView)
}
