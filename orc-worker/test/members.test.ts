import { env } from 'cloudflare:workers'
import type { InvitationView, MemberList, MemberRole, OwnInvitationList } from '@daisi/protocol'
import { expect, test } from 'vitest'
import { database } from '../src/db/client.ts'
import { invite, newInvitation } from '../src/db/member-invitations.ts'
import { type Browser, logIn, meOf, newAddress } from './support/browser.ts'
import { call, newAccount } from './support/orc.ts'
import { type Member, accept, invitationOf, inviteByToken, join, refusal, rolesOf } from './support/team.ts'

const NOBODY = 'usr_00000000000000000000000000000000'

test('an invitation is seen by the invited person alone, and accepted once', async () => {
  const team = await newAccount('team')
  const [invited, other] = [await logIn(), await logIn()]
  const { id, ...view } = await inviteByToken(team, ` ${invited.email.toUpperCase()}`, 'member')
  expect(view).toMatchObject({ email: invited.email, role: 'member', invited_by: team.id })
  expect(view.expires_at - Date.now() / 1000).toBeGreaterThan(7 * 86_400 - 60)
  const listed = async (browser: Browser): Promise<unknown> =>
    (await (await browser.call('GET', '/api/me/invitations')).json<OwnInvitationList>()).invitations
  expect(await listed(other.browser)).toEqual([])
  expect(await listed(invited.browser)).toEqual([
    { id, account: { id: team.id, name: 'team' }, role: 'member', expires_at: view.expires_at },
  ])
  expect(await refusal(await accept(other.browser, id))).toEqual([404, 'not_found'])
  const both = await Promise.all([accept(invited.browser, id), accept(invited.browser, id)])
  expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 404])
  expect(await rolesOf(team)).toEqual({ [invited.me.id]: 'member' })
  expect((await meOf(invited.browser)).accounts).toContainEqual({ id: team.id, name: 'team', role: 'member' })
})

test('nobody is told whether an invited address belongs to anybody', async () => {
  const team = await newAccount('team')
  const { email: known } = await logIn()
  const answers = []
  for (const email of [known, newAddress()]) {
    const response = await call('POST', '/api/members', {
      token: team.token,
      body: { email, role: 'viewer' },
    })
    const view = await response.json<InvitationView>()
    answers.push([response.status, view.email === email, Object.keys(view), view.role, view.invited_by])
  }
  expect(answers[0]).toEqual(answers[1])
})

test('an invitation that is over, taken back or replaced is accepted by nobody', async () => {
  const team = await newAccount('team')
  const person = await logIn()
  const invite = (role: MemberRole): Promise<InvitationView> => inviteByToken(team, person.email, role)
  const late = await invite('viewer')
  await env.DB.prepare('update member_invitations set expires_at = ? where id = ?')
    .bind(Date.now(), late.id)
    .run()
  const taken = await invite('viewer')
  const path = `/api/members/invitations/${taken.id}`
  const foreign = await call('DELETE', path, { token: (await newAccount('other')).token })
  expect(await refusal(foreign)).toEqual([404, 'not_found'])
  expect((await call('DELETE', path, { token: team.token })).status).toBe(204)
  const replaced = await invite('viewer')
  const good = await invite('admin')
  for (const { id } of [late, taken, replaced]) {
    expect(await refusal(await accept(person.browser, id))).toEqual([404, 'not_found'])
  }
  expect((await accept(person.browser, good.id)).status).toBe(200)
  expect(await rolesOf(team)).toEqual({ [person.me.id]: 'admin' })
})

test('who is a member already keeps their role', async () => {
  const team = await newAccount('team')
  const owner = await join(team, 'owner')
  const { id } = await inviteByToken(team, owner.email, 'viewer')
  expect(await (await accept(owner.browser, id)).json()).toEqual({ account_id: team.id, role: 'owner' })
})

test('[I4] nobody gives or takes a role above their own', async () => {
  const team = await newAccount('team')
  const [owner, second, admin] = [
    await join(team, 'owner'),
    await join(team, 'owner'),
    await join(team, 'admin'),
  ]
  const [plain, viewer] = [await join(team, 'member'), await join(team, 'viewer')]
  const ownersInvitation = await inviteByToken(team, newAddress(), 'owner')
  const refused: readonly (readonly [Member, string, string, unknown?])[] = [
    ...[plain, viewer].flatMap((low) => [
      [low, 'POST', '', { email: newAddress(), role: 'viewer' }] as const,
      [low, 'PATCH', `/${viewer.id}`, { role: 'owner' }] as const,
      [low, 'DELETE', `/${admin.id}`] as const,
      [low, 'DELETE', `/invitations/${ownersInvitation.id}`] as const,
    ]),
    [viewer, 'DELETE', `/${plain.id}`],
    [plain, 'DELETE', `/${viewer.id}`],
    [admin, 'POST', '', { email: newAddress(), role: 'owner' }],
    [admin, 'PATCH', `/${admin.id}`, { role: 'owner' }],
    [admin, 'PATCH', `/${viewer.id}`, { role: 'owner' }],
    [admin, 'PATCH', `/${owner.id}`, { role: 'viewer' }],
    [admin, 'DELETE', `/${owner.id}`],
  ]
  for (const [who, method, path, body] of refused) {
    const response = await who.act(method, `/api/members${path}`, body)
    expect([method, path, await refusal(response)]).toEqual([method, path, [403, 'forbidden']])
  }
  const unknown = [
    await admin.act('DELETE', `/api/members/invitations/${ownersInvitation.id}`),
    await admin.act('PATCH', `/api/members/${NOBODY}`, { role: 'viewer' }),
    await admin.act('DELETE', `/api/members/${NOBODY}`),
  ]
  for (const response of unknown) expect(await refusal(response)).toEqual([404, 'not_found'])
  expect(await rolesOf(team)).toEqual({
    [owner.id]: 'owner',
    [second.id]: 'owner',
    [admin.id]: 'admin',
    [plain.id]: 'member',
    [viewer.id]: 'viewer',
  })
  expect((await admin.act('PATCH', `/api/members/${viewer.id}`, { role: 'admin' })).status).toBe(204)
  expect((await admin.act('DELETE', `/api/members/${plain.id}`)).status).toBe(204)
  expect((await owner.act('DELETE', `/api/members/${second.id}`)).status).toBe(204)
  expect((await owner.act('PATCH', `/api/members/${admin.id}`, { role: 'owner' })).status).toBe(204)
  expect(await rolesOf(team)).toEqual({ [owner.id]: 'owner', [admin.id]: 'owner', [viewer.id]: 'admin' })
})

test('invitations are listed for those who may invite', async () => {
  const team = await newAccount('team')
  const { id } = await inviteByToken(team, newAddress(), 'viewer')
  const seen = async (role: MemberRole): Promise<string[] | undefined> => {
    const list = await (await join(team, role)).act('GET', '/api/members')
    return (await list.json<MemberList>()).invitations?.map((invitation) => invitation.id)
  }
  expect([await seen('viewer'), await seen('member')]).toEqual([undefined, undefined])
  expect([await seen('admin'), await seen('owner')]).toEqual([[id], [id]])
})

test('what a removed or demoted member invited to, nobody accepts', async () => {
  const team = await newAccount('team')
  const owner = await join(team, 'owner')
  const [removed, demoted, former] = [
    await join(team, 'admin'),
    await join(team, 'admin'),
    await join(team, 'owner'),
  ]
  const guest = await logIn()
  const invite = async (by: Member, role: MemberRole): Promise<string> =>
    (await invitationOf(await by.act('POST', '/api/members', { email: guest.email, role }))).id
  const open = async (): Promise<string[]> => {
    const response = await guest.browser.call('GET', '/api/me/invitations')
    return (await response.json<OwnInvitationList>()).invitations.map(({ id }) => id)
  }
  await invite(removed, 'admin')
  await owner.act('DELETE', `/api/members/${removed.id}`)
  expect(await open()).toEqual([])
  await invite(demoted, 'viewer')
  await owner.act('PATCH', `/api/members/${demoted.id}`, { role: 'member' })
  expect(await open()).toEqual([])
  const asOwner = await invite(former, 'owner')
  expect(await open()).toEqual([asOwner])
  await owner.act('PATCH', `/api/members/${former.id}`, { role: 'admin' })
  expect(await open()).toEqual([])
  const asAdmin = await invite(former, 'viewer')
  await owner.act('PATCH', `/api/members/${former.id}`, { role: 'admin' })
  expect(await open()).toEqual([asAdmin])
})

test('who loses their role while they invite, invites nobody, and takes nothing back', async () => {
  const team = await newAccount('team')
  const admin = await join(team, 'admin')
  const kept = await inviteByToken(team, newAddress(), 'viewer')
  const invitation = newInvitation(
    { accountId: team.id, email: kept.email, role: 'viewer', invitedBy: admin.id },
    Date.now(),
  )
  const by = { role: 'admin', userId: admin.id } as const
  await call('DELETE', `/api/members/${admin.id}`, { token: team.token })
  expect(await invite(database(env), invitation, by, Date.now())).toBe(false)
  const list = await (await call('GET', '/api/members', { token: team.token })).json<MemberList>()
  expect(list.invitations).toEqual([kept])
})

test('[I4] the last owner neither leaves nor is demoted, by anybody', async () => {
  const team = await newAccount('team')
  const [owner, admin] = [await join(team, 'owner'), await join(team, 'admin')]
  const attempts = [
    await owner.act('DELETE', `/api/members/${owner.id}`),
    await owner.act('PATCH', `/api/members/${owner.id}`, { role: 'admin' }),
    await call('DELETE', `/api/members/${owner.id}`, { token: team.token }),
    await call('PATCH', `/api/members/${owner.id}`, { token: team.token, body: { role: 'viewer' } }),
  ]
  for (const attempt of attempts) expect(await refusal(attempt)).toEqual([409, 'conflict'])
  expect((await owner.act('PATCH', `/api/members/${owner.id}`, { role: 'owner' })).status).toBe(204)
  expect((await owner.act('PATCH', `/api/members/${admin.id}`, { role: 'owner' })).status).toBe(204)
  expect((await owner.act('DELETE', `/api/members/${owner.id}`)).status).toBe(204)
  expect(await rolesOf(team)).toEqual({ [admin.id]: 'owner' })
})

test.for([
  ['demote each other', 'PATCH', { role: 'viewer' }, 'other'],
  ['remove each other', 'DELETE', undefined, 'other'],
  ['leave', 'DELETE', undefined, 'self'],
  ['step down', 'PATCH', { role: 'admin' }, 'self'],
] as const)('of two owners who %s at once, one stays owner', async ([, method, body, whom]) => {
  for (let round = 0; round < 5; round++) {
    const team = await newAccount('team')
    const [one, two] = [await join(team, 'owner'), await join(team, 'owner')]
    const answers = await Promise.all([
      one.act(method, `/api/members/${(whom === 'self' ? one : two).id}`, body),
      two.act(method, `/api/members/${(whom === 'self' ? two : one).id}`, body),
    ])
    expect(answers.filter(({ status }) => status === 204)).toHaveLength(1)
    expect(Object.values(await rolesOf(team)).filter((role) => role === 'owner')).toHaveLength(1)
  }
})

test('of two owners who demote each other at once, beside a third, one is too late', async () => {
  for (let round = 0; round < 5; round++) {
    const team = await newAccount('team')
    const [one, two] = [await join(team, 'owner'), await join(team, 'owner')]
    await join(team, 'owner')
    const answers = await Promise.all([
      one.act('PATCH', `/api/members/${two.id}`, { role: 'viewer' }),
      two.act('PATCH', `/api/members/${one.id}`, { role: 'viewer' }),
    ])
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([204, 403])
  }
})

test('anybody else leaves when they like', async () => {
  const team = await newAccount('team')
  for (const role of ['viewer', 'member', 'admin'] as const) {
    const person = await join(team, role)
    expect((await person.act('DELETE', `/api/members/${person.id}`)).status).toBe(204)
    expect(await refusal(await person.act('GET', '/api/account'))).toEqual([404, 'not_found'])
  }
})
