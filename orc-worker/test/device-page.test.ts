import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { Browser, type LoggedIn, logIn, newAddress } from './support/browser.ts'
import { newGrant, poll } from './support/device.ts'
import { locationOf } from './support/github-way.ts'
import { pageField } from './support/page-field.ts'

/** Types a code. */
async function look(browser: Browser, userCode: string): Promise<{ status: number; page: string }> {
  const response = await browser.submit('/device', { user_code: userCode })
  return { status: response.status, page: await response.text() }
}

interface Decision {
  readonly userCode: string
  readonly hostId: string
  readonly account: string
  readonly decision: string
}

/** Presses a button. */
function decide(browser: Browser, { userCode, hostId, account, decision }: Decision): Promise<Response> {
  return browser.submit('/device', { user_code: userCode, host_id: hostId, account, decision })
}

function accountOf({ me }: LoggedIn): string {
  return me.accounts[0]?.id ?? ''
}

/** Somebody who is, beside their own account, this in another. */
async function memberOf(owner: LoggedIn, role: string): Promise<LoggedIn> {
  const guest = await logIn(newAddress())
  await owner.browser.call('POST', '/api/members', { body: { email: guest.email, role } })
  const page = await (await guest.browser.open('/login')).text()
  await guest.browser.submit('/login/invitation', { invitation: pageField(page, 'invitation') })
  return guest
}

async function statusOf(hostId: string): Promise<unknown> {
  return env.DB.prepare('select status, account_id from device_grants where host_id = ?').bind(hostId).first()
}

test('who is not logged in logs in first and comes back with the code', async () => {
  const response = await new Browser().open('/device?user_code=bcdfghjk')
  expect(response.status).toBe(303)
  expect(locationOf(response)).toBe('/login?return_to=%2Fdevice%3Fuser_code%3DBCDF-GHJK')
  expect(locationOf(await new Browser().open('/device?user_code=%22%3E'))).toBe('/login?return_to=%2Fdevice')
  const late = await new Browser().submit('/device', { user_code: 'BCDF-GHJK' })
  expect(late.status).toBe(401)
  expect(await late.text()).toContain('href="/login?return_to=%2Fdevice"')
})

test('a code in the address is filled in and does nothing by itself', async () => {
  const { browser } = await logIn()
  const grant = await newGrant({ host_name: 'attic' })
  const opened = await browser.open(`/device?user_code=${grant.user_code}`)
  expect(opened.status).toBe(200)
  const page = await opened.text()
  expect(pageField(page, 'user_code')).toBe(grant.user_code)
  expect(page).not.toContain('attic')
  expect(await statusOf(grant.hostId)).toMatchObject({ status: 'pending' })
})

test('the owner sees who asks, approves, and the Host gets in for that account', async () => {
  const person = await logIn()
  const grant = await newGrant({ host_name: 'attic' }, '203.0.113.9')
  const { page } = await look(person.browser, grant.user_code)
  for (const shown of ['attic', grant.hostId, 'public', '203.0.113.9', 'seconds ago'])
    expect(page).toContain(shown)
  expect(pageField(page, 'account')).toBe(accountOf(person))
  const decision = {
    userCode: grant.user_code,
    hostId: grant.hostId,
    account: accountOf(person),
    decision: 'approve',
  }
  expect((await decide(person.browser, decision)).status).toBe(200)
  expect(await statusOf(grant.hostId)).toEqual({ status: 'approved', account_id: accountOf(person) })
  // Once decided, it is decided.
  expect((await decide(person.browser, { ...decision, decision: 'deny' })).status).toBe(404)
  expect((await poll(grant.device_code)).status).toBe(200)
})

test('a Host that is turned away stays out', async () => {
  const person = await logIn()
  const grant = await newGrant()
  const decision = {
    userCode: grant.user_code,
    hostId: grant.hostId,
    account: accountOf(person),
    decision: 'deny',
  }
  expect((await decide(person.browser, decision)).status).toBe(200)
  expect(await (await poll(grant.device_code)).json()).toMatchObject({ error: 'access_denied' })
})

test('a Host joins no account in which the person is less than a member', async () => {
  const owner = await logIn()
  const [viewer, member] = [await memberOf(owner, 'viewer'), await memberOf(owner, 'member')]
  const grant = await newGrant()
  const decision = {
    userCode: grant.user_code,
    hostId: grant.hostId,
    account: accountOf(owner),
    decision: 'approve',
  }
  const stranger = await logIn()
  for (const { browser } of [viewer, stranger]) {
    expect((await look(browser, grant.user_code)).page).not.toContain(accountOf(owner))
    await decide(browser, decision)
    expect(await statusOf(grant.hostId)).toEqual({ status: 'pending', account_id: null })
  }
  expect((await look(member.browser, grant.user_code)).page).toContain(`<option value="${accountOf(owner)}">`)
  await decide(member.browser, decision)
  expect(await statusOf(grant.hostId)).toEqual({ status: 'approved', account_id: accountOf(owner) })
})

test('somebody without an account to add Hosts to is told so', async () => {
  const owner = await logIn()
  const guest = await memberOf(owner, 'viewer')
  await env.DB.prepare(`delete from members where user_id = ? and role = 'owner'`).bind(guest.me.id).run()
  const grant = await newGrant()
  expect((await look(guest.browser, grant.user_code)).status).toBe(403)
})

test('what is approved is the Host that was shown', async () => {
  const person = await logIn()
  const [shown, other] = [await newGrant(), await newGrant()]
  const decision = {
    userCode: other.user_code,
    hostId: shown.hostId,
    account: accountOf(person),
    decision: 'approve',
  }
  expect((await decide(person.browser, decision)).status).toBe(404)
  expect(await statusOf(other.hostId)).toMatchObject({ status: 'pending' })
})

test('a decision that is none shows the question again', async () => {
  const person = await logIn()
  const grant = await newGrant()
  const decision = {
    userCode: grant.user_code,
    hostId: grant.hostId,
    account: accountOf(person),
    decision: 'maybe',
  }
  const response = await decide(person.browser, decision)
  expect(pageField(await response.text(), 'host_id')).toBe(grant.hostId)
  expect(await statusOf(grant.hostId)).toMatchObject({ status: 'pending' })
})

test('a name of a Host is text, never markup', async () => {
  const { browser } = await logIn()
  const grant = await newGrant({ host_name: `<script>alert('host')</script>` })
  const { page } = await look(browser, grant.user_code)
  expect(page).not.toContain('<script>alert')
  expect(page).toContain('&lt;script&gt;alert(&#39;host&#39;)&lt;/script&gt;')
})

test('wrong codes are answered alike, and after a few no more', async () => {
  const { browser } = await logIn()
  const grant = await newGrant()
  const statuses: number[] = []
  while (statuses.at(-1) !== 429 && statuses.length < 20)
    statuses.push((await look(browser, 'BBBB-BBBB')).status)
  expect(statuses.slice(0, -1)).toEqual(statuses.slice(0, -1).map(() => 404))
  expect(statuses.length).toBeGreaterThan(3)
  expect((await look(browser, grant.user_code)).status).toBe(429)
})
