import { type InvitationView, type MemberList, memberChange, memberRequest } from '@daisi/protocol'
import { database } from '../db/client.ts'
import {
  type MemberInvitation,
  invite,
  newInvitation,
  openInvitations,
  withdrawInvitation,
} from '../db/member-invitations.ts'
import {
  type MemberOutcome,
  type MemberTarget,
  changeMemberRole,
  listMembers,
  removeMember,
} from '../db/members.ts'
import { isAtLeast, rolesUpTo } from '../domain/roles.ts'
import { epochSeconds } from '../domain/time.ts'
import { authorityOf } from '../http/authority.ts'
import type { AppContext } from '../http/context.ts'
import { ApiError } from '../http/errors.ts'
import { readJson } from '../http/read-json.ts'

/** `GET /api/members`. Who may invite sees the invitations as well. */
export async function getMembers(c: AppContext): Promise<Response> {
  const { id } = c.var.account
  const db = database(c.env)
  const members = (await listMembers(db, id)).map(({ userId, createdAt, ...member }) => ({
    ...member,
    user_id: userId,
    created_at: epochSeconds(createdAt),
  }))
  if (!isAtLeast(c.var.actor.role, 'admin')) return c.json({ members } satisfies MemberList)
  const invitations = (await openInvitations(db, id, Date.now())).map(invitationView)
  return c.json({ members, invitations } satisfies MemberList)
}

/** `POST /api/members`: an invitation. The answer does not tell whether anybody has this address. */
export async function postMember(c: AppContext): Promise<Response> {
  const { email, role } = (await readJson(c.req.raw, memberRequest)).value
  const { account, actor } = c.var
  if (!isAtLeast(actor.role, role)) throw above()
  const now = Date.now()
  const invitedBy = actor.person?.userId ?? account.id
  const invitation = newInvitation({ accountId: account.id, email, role, invitedBy }, now)
  if (!(await invite(database(c.env), invitation, authorityOf(c), now))) throw above()
  return c.json(invitationView(invitation), 201)
}

/** `DELETE /api/members/invitations/:invitation`. */
export async function deleteInvitation(c: AppContext): Promise<Response> {
  const invitation = {
    id: c.req.param('invitation') ?? '',
    accountId: c.var.account.id,
    roles: rolesUpTo(c.var.actor.role),
  }
  if (await withdrawInvitation(database(c.env), invitation, Date.now())) return c.body(null, 204)
  const message =
    'There is no such invitation that you may take back. GET /api/members lists those that are open.'
  throw new ApiError({ code: 'not_found', message })
}

/** `PATCH /api/members/:user`. */
export async function patchMember(c: AppContext): Promise<Response> {
  const { role } = (await readJson(c.req.raw, memberChange)).value
  refuse(await changeMemberRole(database(c.env), targetOf(c), role, Date.now()))
  return c.body(null, 204)
}

/** `DELETE /api/members/:user`: oneself, or for admins another. */
export async function deleteMember(c: AppContext): Promise<Response> {
  const target = targetOf(c)
  const isOneself = target.by.userId === target.userId
  if (!isOneself && !isAtLeast(target.by.role, 'admin')) throw above()
  refuse(await removeMember(database(c.env), target, Date.now()))
  return c.body(null, 204)
}

function targetOf(c: AppContext): MemberTarget {
  return { accountId: c.var.account.id, userId: c.req.param('user') ?? '', by: authorityOf(c) }
}

/** Throws unless it is done. */
function refuse(outcome: MemberOutcome): void {
  switch (outcome) {
    case 'done':
      return
    case 'above':
      throw above()
    case 'unknown':
      throw new ApiError({
        code: 'not_found',
        message: 'This account has no such member. GET /api/members lists them.',
      })
    case 'last_owner':
      throw new ApiError({
        code: 'conflict',
        message: 'An account keeps at least one owner. Make another member an owner first.',
      })
  }
}

function above(): ApiError {
  const message =
    'Only an admin or owner may do this, and with no role above their own. Ask an owner of the account.'
  return new ApiError({ code: 'forbidden', message })
}

function invitationView({ id, email, role, invitedBy, expiresAt }: MemberInvitation): InvitationView {
  return { id, email, role, invited_by: invitedBy, expires_at: epochSeconds(expiresAt) }
}
