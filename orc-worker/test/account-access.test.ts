import { env } from 'cloudflare:workers'
import type { AccountCreated, MemberList, OwnInvitationList } from '@daisi/protocol'
import { expect, test } from 'vitest'
import { replaceToken } from '../src/db/accounts.ts'
import { database } from '../src/db/client.ts'
import { Browser, INVITED, beginEmailLogin, logIn, mailTo, meOf, newAddress } from './support/browser.ts'
import { call, newAccount, operatorAccount } from './support/orc.ts'
import { accept, invitationOf, inviteByToken, join, refusal } from './support/team.ts'

test('[I4] each role opens its routes and those below, at once when it changes', async () => {
  const team = await newAccount('team')
  await join(team, 'owner')
  const person = await join(team, 'viewer')
  const opens = async (): Promise<boolean[]> => {
    const answers = [
      await person.act('GET', '/api/account'),
      await person.act('POST', '/api/apps', { name: 'app' }),
      await person.act('POST', '/api/members', { email: newAddress(), role: 'viewer' }),
      await person.act('POST', '/api/account/token'),
    ]
    return answers.map(({ status }) => status < 300)
  }
  expect(await opens()).toEqual([true, false, false, false])
  for (const [index, role] of (['member', 'admin', 'owner'] as const).entries()) {
    await env.DB.prepare('update members set role = ? where user_id = ?').bind(role, person.id).run()
    expect(await opens()).toEqual([true, true, index > 0, index > 1])
  }
})

test('[I4] a removed member is refused at the next request, like somebody who never was one', async () => {
  const team = await newAccount('team')
  const owner = await join(team, 'owner')
  const person = await join(team, 'admin')
  expect((await person.act('GET', '/api/account')).status).toBe(200)
  expect((await owner.act('DELETE', `/api/members/${person.id}`)).status).toBe(204)
  const stranger = await logIn()
  const ask = (browser: Browser, account: string): Promise<Response> =>
    browser.call('GET', '/api/account', { headers: { 'daisi-account': account } })
  const answers = [
    await person.act('GET', '/api/account'),
    await ask(stranger.browser, team.id),
    await ask(stranger.browser, 'acc_00000000000000000000000000000000'),
    await ask(stranger.browser, 'acc_operator'),
    await ask(stranger.browser, ''),
    await ask(stranger.browser, "' or 1=1 --"),
  ]
  expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404, 404, 404])
  const bodies = await Promise.all(answers.map((response) => response.text()))
  expect(new Set(bodies).size).toBe(1)
})

test('the account need not be named by who has one, and must be by who has several', async () => {
  const one = await logIn()
  const own = one.me.accounts[0]?.id
  expect(await (await one.browser.call('GET', '/api/account')).json()).toMatchObject({ id: own })
  const team = await newAccount('team')
  const { id } = await inviteByToken(team, one.email, 'viewer')
  await accept(one.browser, id)
  const unnamed = await one.browser.call('GET', '/api/account')
  expect(await refusal(unnamed)).toEqual([400, 'invalid_request'])
  for (const account of [own ?? '', team.id]) {
    const headers = { 'daisi-account': account }
    expect(await (await one.browser.call('GET', '/api/account', { headers })).json()).toMatchObject({
      id: account,
    })
  }
  const guest = newAddress()
  await inviteByToken(team, guest, 'viewer')
  const { browser } = await logIn(guest, new Browser(INVITED))
  expect(await refusal(await browser.call('GET', '/api/account'))).toEqual([403, 'forbidden'])
})

test('[I5] a new token of the account kills the one before, and the invitations that were made with it', async () => {
  const team = await newAccount('team')
  const [owner, admin] = [await join(team, 'owner'), await join(team, 'admin')]
  const guest = await logIn()
  await inviteByToken(team, guest.email, 'owner')
  const kept = await invitationOf(
    await owner.act('POST', '/api/members', { email: newAddress(), role: 'viewer' }),
  )
  expect(await refusal(await admin.act('POST', '/api/account/token'))).toEqual([403, 'forbidden'])
  const { token, ...rest } = await (await owner.act('POST', '/api/account/token')).json<AccountCreated>()
  expect(rest).toEqual({ id: team.id, name: 'team' })
  const old = await call('GET', '/api/account', { token: team.token })
  expect(await refusal(old)).toEqual([401, 'invalid_api_key'])
  const list = await (await call('GET', '/api/members', { token })).json<MemberList>()
  expect(list.invitations?.map(({ id }) => id)).toEqual([kept.id])
  const again = await (await call('POST', '/api/account/token', { token })).json<AccountCreated>()
  expect(await refusal(await call('GET', '/api/account', { token }))).toEqual([401, 'invalid_api_key'])
  expect((await call('GET', '/api/account', { token: again.token })).status).toBe(200)
})

test('who loses their role while they ask for a new token gets none', async () => {
  const team = await newAccount('team')
  const owner = await join(team, 'owner')
  await join(team, 'owner')
  await call('DELETE', `/api/members/${owner.id}`, { token: team.token })
  const by = { role: 'owner', userId: owner.id } as const
  const replacement = { accountId: team.id, tokenHash: 'new', by }
  expect(await replaceToken(database(env), replacement, Date.now())).toBe(false)
  expect((await call('GET', '/api/account', { token: team.token })).status).toBe(200)
})

test('an operator makes an account for somebody, who comes in as its owner', async () => {
  const { token } = await operatorAccount()
  const email = newAddress()
  const body = { name: 'theirs', owner_email: email }
  const account = await (await call('POST', '/api/accounts', { token, body })).json<AccountCreated>()
  await beginEmailLogin(new Browser(INVITED), email)
  expect(await mailTo(email)).toHaveLength(1)
  const { browser } = await logIn(email, new Browser(INVITED))
  const { invitations } = await (await browser.call('GET', '/api/me/invitations')).json<OwnInvitationList>()
  expect(invitations).toMatchObject([{ account: { id: account.id, name: 'theirs' }, role: 'owner' }])
  expect((await accept(browser, invitations[0]?.id ?? '')).status).toBe(200)
  expect((await meOf(browser)).accounts).toEqual([{ id: account.id, name: 'theirs', role: 'owner' }])
})
