import { DEVICE_VERIFICATION_PATH, type MemberRole } from '@daisi/protocol'
import { readConfig } from '../config.ts'
import { database } from '../db/client.ts'
import { type DeviceDecision, decideDeviceGrant, findDeviceGrant } from '../db/device-grants.ts'
import { membershipsOf } from '../db/members.ts'
import { loginPath, returnPath } from '../domain/return-path.ts'
import { ISSUER_ROLE, isAtLeast } from '../domain/roles.ts'
import { readUserCode, showUserCode } from '../domain/user-code.ts'
import type { AppContext } from '../http/context.ts'
import { readLogin } from '../http/login-cookie.ts'
import { readPageForm } from '../http/page-form.ts'
import { redirectTo } from '../http/redirect.ts'
import { guardUserCode } from '../http/user-code-guard.ts'
import { type AccountChoice, confirmHost, decided, enterCode, noAccount } from '../pages/device-pages.ts'
import { type Markup, pageResponse } from '../pages/page.ts'

const NO_SUCH_CODE =
  'No Host waits with this code. Compare it with what the Host shows; it lasts ten minutes.'

/** `GET /device`: asks for the code (RFC 8628 §3.3). One in the address is filled in and nothing more (§5.4). */
export async function getDevicePage(c: AppContext): Promise<Response> {
  const given = readUserCode(c.req.query('user_code') ?? '')
  const userCode = given === undefined ? '' : showUserCode(given)
  if ((await readLogin(c)) === undefined) {
    const next =
      userCode === '' ? DEVICE_VERIFICATION_PATH : `${DEVICE_VERIFICATION_PATH}?user_code=${userCode}`
    return redirectTo(loginPath(returnPath(next)))
  }
  return page(c, 'Let a Host in', enterCode(userCode))
}

/** `POST /device`: shows who waits with the code; with a decision, and the account that the Host is to belong to, carries it out. */
export async function postDevicePage(c: AppContext): Promise<Response> {
  const fields = await readPageForm(c)
  const typed = fields.get('user_code') ?? ''
  const accounts = await accountsOf(c)
  if (accounts.length === 0) return page(c, 'Let a Host in', noAccount(), 403)
  const { keys } = await readConfig(c.env)
  const now = Date.now()
  const decision = fields.get('decision')
  const account = accounts.find(({ id }) => id === fields.get('account'))
  const made = await guardUserCode(c, async () => {
    const db = database(c.env)
    const grant = await findDeviceGrant(db, keys, typed, now)
    // What is decided about is what was shown, and not another Host that waits with this code by now.
    if (grant === undefined || (decision !== undefined && grant.hostId !== fields.get('host_id')))
      return undefined
    if (account === undefined || (decision !== 'approve' && decision !== 'deny'))
      return { grant, outcome: undefined }
    const by = { role: account.role, userId: c.var.person.userId }
    const choice = { accountId: account.id, by, approve: decision === 'approve' }
    const outcome = await decideDeviceGrant(db, keys, typed, choice, now)
    return isGone(outcome) ? undefined : { grant, outcome }
  })
  if (made === undefined) return page(c, 'Let a Host in', enterCode(typed, NO_SUCH_CODE), 404)
  const { grant, outcome } = made
  if (outcome === undefined) return page(c, 'Is this your Host?', confirmHost(grant, typed, accounts, now))
  if (outcome.ok) return page(c, 'Done', decided(grant.hostName, decision === 'approve'))
  const problem = `This account may not put Hosts on Network ${grant.network}. Choose another account, or start the Host with another Network.`
  return page(c, 'Is this your Host?', confirmHost(grant, typed, accounts, now, problem), 403)
}

function isGone(outcome: DeviceDecision): boolean {
  return !outcome.ok && outcome.reason === 'not_found'
}

/** Accounts in whose name this person may add Hosts. */
async function accountsOf(c: AppContext): Promise<(AccountChoice & { readonly role: MemberRole })[]> {
  const memberships = await membershipsOf(database(c.env), c.var.person.userId, undefined)
  return memberships
    .filter(({ role }) => isAtLeast(role, ISSUER_ROLE.deviceApproval))
    .map(({ account, role }) => ({ ...account, role }))
}

async function page(c: AppContext, title: string, body: Markup, status = 200): Promise<Response> {
  const { name } = await readConfig(c.env)
  return pageResponse({ title, orcName: name, body, status })
}
