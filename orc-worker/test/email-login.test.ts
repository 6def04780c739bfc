import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import {
  Browser,
  INVITED,
  LOGIN_COOKIE,
  beginEmailLogin,
  codeTo,
  logIn,
  mailTo,
  meOf,
  newAddress,
  notThe,
} from './support/browser.ts'
import { call, newAccount } from './support/orc.ts'
import { refusal } from './support/team.ts'

function answer(browser: Browser, flow: string, code: string): Promise<Response> {
  return browser.call('POST', '/api/login/email/verify', { body: { flow, code } })
}

const FAILED = [401, 'login_failed']

/** How many people, accounts and memberships there are. */
async function counts(): Promise<unknown> {
  return env.DB.prepare(
    'select (select count(*) from users) u, (select count(*) from accounts) a, (select count(*) from members) m',
  ).first()
}

test('a code logs a newcomer in, with an account, its grant and ownership, where sign-up is open', async () => {
  const { browser, email, me } = await logIn()
  expect(me).toMatchObject({ email, operator: false, accounts: [{ role: 'owner' }] })
  const account = await browser.call('GET', '/api/account').then((response) => response.json())
  expect(account).toMatchObject({ id: me.accounts[0]?.id, balance: { available: Number(env.SIGNUP_GRANT) } })
})

test('the same person comes back as the same person, however the address is written', async () => {
  const { email, me } = await logIn()
  const browser = new Browser()
  const flow = await beginEmailLogin(browser, `  ${email.toUpperCase()} `)
  expect((await answer(browser, flow, await codeTo(email))).status).toBe(204)
  expect((await meOf(browser)).id).toBe(me.id)
})

test('[I2] the cookie is for this host only, out of reach of scripts, and is not stored as it is', async () => {
  const browser = new Browser()
  const email = newAddress()
  const flow = await beginEmailLogin(browser, email)
  const [cookie = '', ...more] = (await answer(browser, flow, await codeTo(email))).headers.getSetCookie()
  expect(more).toEqual([])
  const [pair = '', ...attributes] = cookie.split('; ')
  expect(pair).toMatch(new RegExp(`^${LOGIN_COOKIE}=daisi_ls_[\\w-]{75}$`))
  expect(attributes.toSorted()).toEqual(['HttpOnly', 'Max-Age=2592000', 'Path=/', 'SameSite=Lax', 'Secure'])
  const stored = JSON.stringify(await env.DB.prepare('select * from login_sessions').all())
  expect(stored).not.toContain(browser.login)
})

test('[I1] known, unknown, uninvited and overused addresses are answered alike', async () => {
  const { email: known } = await logIn()
  const invited = newAddress()
  await call('POST', '/api/members', {
    token: (await newAccount('team')).token,
    body: { email: invited, role: 'viewer' },
  })
  const overused = newAddress()
  for (let begun = 0; begun < 5; begun++) await beginEmailLogin(new Browser(), overused)
  const unknown = newAddress()
  const browser = new Browser(INVITED)
  const answers: { begun: string; wrong: string }[] = []
  for (const email of [known, invited, unknown, overused]) {
    const begun = await browser.call('POST', '/api/login/email', { body: { email } })
    const { flow, ...rest } = await begun.json<{ flow: string }>()
    expect(flow).toMatch(/^daisi_lf_[\w-]{54}$/)
    const code = email === unknown || email === overused ? '123456' : notThe(await codeTo(email))
    const wrong = await answer(browser, flow, code)
    answers.push({
      begun: JSON.stringify([begun.status, sameHeaders(begun), rest]),
      wrong: JSON.stringify([wrong.status, sameHeaders(wrong), await wrong.text()]),
    })
  }
  expect(new Set(answers.map(({ begun }) => begun)).size).toBe(1)
  expect(new Set(answers.map(({ wrong }) => wrong)).size).toBe(1)
  expect(answers[0]?.wrong).toContain('login_failed')
  expect([await mailTo(unknown), (await mailTo(overused)).length]).toEqual([[], 5])
})

/** All but those that differ from answer to answer for everybody. */
function sameHeaders({ headers }: Response): string[] {
  const own = new Set(['x-request-id', 'date'])
  return [...headers].filter(([name]) => !own.has(name)).map(([name, value]) => `${name}: ${value}`)
}

test('[I1] everything that is wrong with an answer is answered alike', async () => {
  const browser = new Browser()
  const [email, other] = [newAddress(), newAddress()]
  const flow = await beginEmailLogin(browser, email)
  const otherFlow = await beginEmailLogin(browser, other)
  const code = await codeTo(email)
  const attempts: [string, string][] = [
    [flow, notThe(code)],
    [flow, 'abcdef'],
    [flow, ''],
    [`${flow.slice(0, -1)}${flow.endsWith('A') ? 'B' : 'A'}`, code],
    ['made-up', code],
    [otherFlow, code === (await codeTo(other)) ? notThe(code) : code],
  ]
  const bodies = new Set<string>()
  for (const [shown, guess] of attempts) {
    const response = await answer(browser, shown, guess)
    expect([response.status, response.headers.getSetCookie()]).toEqual([401, []])
    bodies.add(await response.text())
  }
  expect(bodies.size).toBe(1)
  expect((await answer(browser, flow, code)).status).toBe(204)
})

test('[I1] a code works once', async () => {
  const email = newAddress()
  const browser = new Browser()
  const flow = await beginEmailLogin(browser, email)
  const code = await codeTo(email)
  expect((await answer(browser, flow, code)).status).toBe(204)
  expect(await refusal(await answer(new Browser(), flow, code))).toEqual(FAILED)
})

test('of two right answers at once, one logs in', async () => {
  for (let round = 0; round < 5; round++) {
    const email = newAddress()
    const flow = await beginEmailLogin(new Browser(), email)
    const code = await codeTo(email)
    const answers = await Promise.all(
      [new Browser(), new Browser()].map((browser) => answer(browser, flow, code)),
    )
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([204, 401])
  }
})

test('a person who comes in twice at once, by two flows, is one person with one account', async () => {
  const email = newAddress()
  const [one, two] = [new Browser(), new Browser()]
  const flows: [Browser, string, string][] = []
  for (const browser of [one, two])
    flows.push([browser, await beginEmailLogin(browser, email), await codeTo(email)])
  const answers = await Promise.all(flows.map((flow) => answer(...flow)))
  expect(answers.map(({ status }) => status)).toEqual([204, 204])
  expect(await meOf(one)).toEqual(await meOf(two))
  expect((await meOf(one)).accounts.length).toBe(1)
})

test('[I1] after five wrong answers the right one is wrong too, also with all of them at once', async () => {
  const email = newAddress()
  const browser = new Browser()
  const flow = await beginEmailLogin(browser, email)
  const code = await codeTo(email)
  const wrong = await Promise.all(Array.from({ length: 5 }, () => answer(browser, flow, notThe(code))))
  expect(wrong.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401])
  expect(await refusal(await answer(browser, flow, code))).toEqual(FAILED)
})

test('the fifth answer may be the right one', async () => {
  const email = newAddress()
  const browser = new Browser()
  const flow = await beginEmailLogin(browser, email)
  const code = await codeTo(email)
  for (let guess = 0; guess < 4; guess++) await answer(browser, flow, notThe(code))
  expect((await answer(browser, flow, code)).status).toBe(204)
})

test('a code is over after ten minutes', async () => {
  const email = newAddress()
  const browser = new Browser()
  const flow = await beginEmailLogin(browser, email)
  const row = await env.DB.prepare('select created_at c, expires_at e from login_flows where email = ?')
    .bind(email)
    .first<{ c: number; e: number }>()
  expect((row?.e ?? 0) - (row?.c ?? 0)).toBe(600_000)
  await env.DB.prepare('update login_flows set expires_at = ? where email = ?').bind(Date.now(), email).run()
  expect(await refusal(await answer(browser, flow, await codeTo(email)))).toEqual(FAILED)
})

test('[I6] where people are invited, a stranger who has the right code is not let in, and nothing is made', async () => {
  const email = newAddress()
  const flow = await beginEmailLogin(new Browser(), email)
  const before = await counts()
  expect(await refusal(await answer(new Browser(INVITED), flow, await codeTo(email)))).toEqual(FAILED)
  expect(await counts()).toEqual(before)
})

test('who is invited comes in, without an account of their own', async () => {
  const email = newAddress()
  const team = await newAccount('team')
  await call('POST', '/api/members', { token: team.token, body: { email, role: 'viewer' } })
  const { me } = await logIn(email, new Browser(INVITED))
  expect(me.accounts).toEqual([])
})

test('an invitation that is over or was taken back lets nobody in', async () => {
  const team = await newAccount('team')
  const invite = async (): Promise<[string, string]> => {
    const email = newAddress()
    const response = await call('POST', '/api/members', {
      token: team.token,
      body: { email, role: 'viewer' },
    })
    return [email, (await response.json<{ id: string }>()).id]
  }
  const [[late, lateId], [taken, takenId]] = [await invite(), await invite()]
  await env.DB.prepare('update member_invitations set expires_at = ? where id = ?')
    .bind(Date.now(), lateId)
    .run()
  await call('DELETE', `/api/members/invitations/${takenId}`, { token: team.token })
  for (const email of [late, taken]) {
    await beginEmailLogin(new Browser(INVITED), email)
    expect(await mailTo(email)).toEqual([])
  }
})

test('a page of another site can neither send codes nor log a browser in', async () => {
  const email = newAddress()
  const browser = new Browser()
  const flow = await beginEmailLogin(browser, email)
  const body = { flow, code: await codeTo(email) }
  const headers = { origin: 'https://evil.test', 'content-type': 'text/plain' }
  const attempts = [
    await browser.call('POST', '/api/login/email/verify', { body, headers }),
    await browser.call('POST', '/api/login/email', { body: { email }, headers }),
    await browser.call('POST', '/api/login/email', { body: { email }, headers: { origin: null } }),
  ]
  for (const attempt of attempts) expect(await refusal(attempt)).toEqual([403, 'cross_site_request'])
  expect((await mailTo(email)).length).toBe(1)
  expect((await browser.call('POST', '/api/login/email/verify', { body })).status).toBe(204)
})
