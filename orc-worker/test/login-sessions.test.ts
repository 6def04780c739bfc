import { env } from 'cloudflare:workers'
import type { LoginSessionList } from '@daisi/protocol'
import { expect, test, vi } from 'vitest'
import { Browser, LOGIN_COOKIE, type LoggedIn, beginEmailLogin, codeTo, logIn } from './support/browser.ts'
import { newAccount } from './support/orc.ts'
import { errorCode } from './support/scene.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** A browser that shows this cookie. */
function browserWith(value: string): Browser {
  const browser = new Browser()
  browser.cookies.set(LOGIN_COOKIE, value)
  return browser
}

/** A second browser with a copy of the cookie. */
function copyOf(browser: Browser): Browser {
  return browserWith(browser.login ?? '')
}

async function statusOf(browser: Browser): Promise<number> {
  return (await browser.call('GET', '/api/me')).status
}

async function sessionsOf(browser: Browser): Promise<LoginSessionList['sessions']> {
  const response = await browser.call('GET', '/api/me/sessions')
  return (await response.json<LoginSessionList>()).sessions
}

async function sessionId(browser: Browser): Promise<string> {
  return (await sessionsOf(browser)).find(({ current }) => current)?.id ?? ''
}

/** Lets time pass for a login session: everything that was noted of it was earlier. */
async function age(id: string, ms: number): Promise<void> {
  await env.DB.prepare(
    `update login_sessions set created_at = created_at - ?1, rotated_at = rotated_at - ?1,
      last_seen_at = last_seen_at - ?1, expires_at = expires_at - ?1 where id = ?2`,
  )
    .bind(ms, id)
    .run()
}

/** Somebody logged in whose cookie was replaced just now, and the value before. */
async function rotated(): Promise<LoggedIn & { id: string; before: string }> {
  const person = await logIn()
  const id = await sessionId(person.browser)
  const before = person.browser.login ?? ''
  await age(id, HOUR)
  expect(await statusOf(person.browser)).toBe(200)
  expect(person.browser.login).not.toBe(before)
  return { ...person, id, before }
}

test('without a cookie, with a made-up one, and with one of another Orc nobody is let in', async () => {
  const { browser } = await logIn()
  const good = browser.login ?? ''
  const wrong = [
    `${good.slice(0, -1)}${good.endsWith('A') ? 'E' : 'A'}`,
    good.slice(0, -11),
    `${good}x`,
    '',
    'x',
    `daisi_ls_${'A'.repeat(75)}`,
  ]
  const bodies = new Set<string>()
  for (const value of wrong) {
    const response = await browserWith(value).call('GET', '/api/me')
    expect([response.status, response.headers.get('cache-control')]).toEqual([401, 'no-store'])
    bodies.add(await response.text())
  }
  expect(bodies.size).toBe(1)
  const none = await new Browser().call('GET', '/api/me')
  expect([none.status, await errorCode(none)]).toEqual([401, 'missing_credentials'])
})

test('a made-up cookie is told without touching storage', async () => {
  const { browser } = await logIn()
  const good = browser.login ?? ''
  const prepare = vi.spyOn(env.DB, 'prepare')
  const copy = browserWith(good)
  const madeUp = browserWith(`${good.slice(0, -1)}${good.endsWith('A') ? 'E' : 'A'}`)
  expect(await statusOf(madeUp)).toBe(401)
  expect(prepare).not.toHaveBeenCalled()
  expect(await statusOf(copy)).toBe(200)
  expect(prepare).toHaveBeenCalled()
  prepare.mockRestore()
})

test('[I2] the login that comes with a new login ends, so that nobody goes on in one that somebody else began', async () => {
  const attacker = await logIn()
  const victim = copyOf(attacker.browser)
  const own = await logIn(undefined, victim)
  expect(own.me.id).not.toBe(attacker.me.id)
  expect(victim.login).not.toBe(attacker.browser.login)
  expect([await statusOf(attacker.browser), await statusOf(victim)]).toEqual([401, 200])
})

test('a failed login leaves the one before as it is', async () => {
  const { browser } = await logIn()
  const before = browser.login
  const body = { flow: await beginEmailLogin(browser, 'a@example.test'), code: 'wrong' }
  expect((await browser.call('POST', '/api/login/email/verify', { body })).status).toBe(401)
  expect([browser.login, await statusOf(browser)]).toEqual([before, 200])
})

test('[I2] a login is over after seven days without a visit, and after thirty in any case', async () => {
  const { browser } = await logIn()
  const id = await sessionId(browser)
  for (const days of [6, 6, 6, 6, 5]) {
    await age(id, days * DAY)
    expect(await statusOf(browser)).toBe(200)
  }
  await age(id, DAY)
  expect(await statusOf(browser)).toBe(401)

  const idle = await logIn()
  await age(await sessionId(idle.browser), 7 * DAY)
  expect(await statusOf(idle.browser)).toBe(401)
  expect(await sessionsOf((await logIn(idle.email)).browser)).toHaveLength(1)
})

test('a cookie older than an hour is replaced, whatever the answer is, and lives no longer than before', async () => {
  const { browser } = await logIn()
  const id = await sessionId(browser)
  await age(id, HOUR - MINUTE)
  const early = await browser.call('GET', '/api/me')
  expect(early.headers.getSetCookie()).toEqual([])
  await age(id, MINUTE)
  const late = await browser.call('DELETE', '/api/me/sessions/none')
  expect(late.status).toBe(404)
  const [cookie = '', ...more] = late.headers.getSetCookie()
  expect(more).toEqual([])
  expect(cookie).toContain('; HttpOnly')
  const maxAge = Number(/Max-Age=(\d+)/.exec(cookie)?.[1])
  expect(maxAge).toBeGreaterThan(30 * 86_400 - 3_700)
  expect(maxAge).toBeLessThanOrEqual(30 * 86_400 - 3_600)
  expect(await statusOf(browser)).toBe(200)
})

test('requests at the same time are all let in, and one of them brings the new cookie', async () => {
  const { browser } = await logIn()
  await age(await sessionId(browser), HOUR)
  const copies = Array.from({ length: 6 }, () => copyOf(browser))
  const answers = await Promise.all(copies.map((copy) => copy.call('GET', '/api/me')))
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200])
  const replaced = answers.filter((response) => response.headers.getSetCookie().length > 0)
  expect(replaced).toHaveLength(1)
  const latest = copies.find((copy) => copy.login !== browser.login)
  expect(await statusOf(latest ?? new Browser())).toBe(200)
})

test('a value that was replaced is good for a minute', async () => {
  const { browser, before, id } = await rotated()
  await age(id, MINUTE - 5_000)
  const late = browserWith(before)
  expect([await statusOf(late), late.login]).toEqual([200, before])
  expect(await statusOf(browser)).toBe(200)
})

test('[I2] a value that was replaced and comes back later ends the login for both, and is noted', async () => {
  const { browser, before, id, me } = await rotated()
  const other = await logIn()
  await age(id, MINUTE)
  const log = vi.spyOn(console, 'log')
  expect(await statusOf(browserWith(before))).toBe(401)
  const lines = log.mock.calls.map(([line]) => String(line))
  log.mockRestore()
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    {
      event: 'login_stolen',
      userId: me.id,
      loginSessionId: id,
      requestId: expect.stringMatching(/^req_/),
    },
  ])
  expect([await statusOf(browser), await statusOf(other.browser)]).toEqual([401, 200])
})

test('so does one that was replaced several times ago', async () => {
  const { browser, before, id } = await rotated()
  for (let round = 0; round < 3; round++) {
    await age(id, HOUR)
    expect(await statusOf(browser)).toBe(200)
  }
  expect(await statusOf(browserWith(before))).toBe(401)
  expect(await statusOf(browser)).toBe(401)
})

test('logging out ends the login and takes the cookie away', async () => {
  const { browser } = await logIn()
  const copy = copyOf(browser)
  const response = await browser.call('POST', '/api/logout')
  expect(response.status).toBe(204)
  expect(response.headers.getSetCookie()).toEqual([
    `${LOGIN_COOKIE}=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax`,
  ])
  expect([browser.login, await statusOf(copy)]).toEqual([undefined, 401])
})

test('[I2] people see their logins and end them, one or all others, and nobody else’s', async () => {
  const { browser: one, email } = await logIn()
  const two = new Browser()
  const flow = await beginEmailLogin(two, email)
  await two.call('POST', '/api/login/email/verify', {
    body: { flow, code: await codeTo(email) },
    headers: { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' },
  })
  const three = (await logIn(email)).browser
  const stranger = await logIn()
  const list = await sessionsOf(one)
  expect(list.map(({ current, label }) => [current, label])).toEqual([
    [false, 'Unknown browser on an unknown system'],
    [false, 'Firefox on Linux'],
    [true, 'Unknown browser on an unknown system'],
  ])
  const foreign = await stranger.browser.call('DELETE', `/api/me/sessions/${await sessionId(two)}`)
  expect([foreign.status, await errorCode(foreign), await statusOf(two)]).toEqual([404, 'not_found', 200])

  const ended = await one.call('DELETE', `/api/me/sessions/${await sessionId(two)}`)
  expect([ended.status, await statusOf(two), await statusOf(three)]).toEqual([204, 401, 200])
  expect((await one.call('DELETE', '/api/me/sessions')).status).toBe(204)
  expect([await statusOf(one), await statusOf(three), await statusOf(stranger.browser)]).toEqual([
    200, 401, 200,
  ])
})

test('a visit is noted every five minutes at most', async () => {
  const { browser } = await logIn()
  const id = await sessionId(browser)
  const seen = async (): Promise<number> => {
    const row = await env.DB.prepare('select last_seen_at seen from login_sessions where id = ?')
      .bind(id)
      .first<{ seen: number }>()
    return row?.seen ?? 0
  }
  await age(id, 4 * MINUTE)
  const first = await seen()
  await statusOf(browser)
  expect(await seen()).toBe(first)
  await age(id, MINUTE)
  await statusOf(browser)
  expect(await seen()).toBeGreaterThan(first + MINUTE)
})

test('[I3] a login opens nothing on /v1, and a token beside it wins', async () => {
  const { browser, me } = await logIn()
  const models = await browser.call('GET', '/v1/models')
  expect([models.status, await errorCode(models)]).toEqual([401, 'missing_credentials'])
  const other = await newAccount('other')
  const bearer = { authorization: `Bearer ${other.token}` }
  const account = await browser.call('GET', '/api/account', { headers: bearer })
  expect(await account.json()).toMatchObject({ id: other.id })
  expect(other.id).not.toBe(me.accounts[0]?.id)
  for (const token of [`Bearer ${other.token}`, 'Bearer wrong', 'Basic x', '']) {
    const mine = await browser.call('GET', '/api/me', { headers: { authorization: token } })
    expect([mine.status, await errorCode(mine)]).toEqual([401, 'invalid_api_key'])
  }
  const wrong = await browser.call('GET', '/api/account', { headers: { authorization: 'Bearer wrong' } })
  expect([wrong.status, await errorCode(wrong)]).toEqual([401, 'invalid_api_key'])
})
