import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { createApp } from '../src/app.ts'
import { Browser, INVITED, LOGIN_COOKIE } from './support/browser.ts'
import { GITHUB } from './support/github-stub.ts'
import {
  atGithub,
  beginAtGithub,
  invitePerson,
  locationOf,
  logInByGithub,
  someone,
} from './support/github-way.ts'

const FLOW_COOKIE = '__Host-daisi_github'

async function userWith(
  column: 'email' | 'github_id',
  value: string,
): Promise<Record<string, unknown> | null> {
  return env.DB.prepare(`select id, email, github_id, name from users where ${column} = ?`)
    .bind(value)
    .first()
}

test('GitHub is asked with state and an S256 challenge, which a cookie binds to this browser', async () => {
  const browser = new Browser(INVITED)
  const response = await browser.open('/login/github')
  const asked = new URL(locationOf(response))
  expect(asked.origin + asked.pathname).toBe(`${GITHUB.url}/login/oauth/authorize`)
  expect(Object.fromEntries(asked.searchParams)).toEqual({
    response_type: 'code',
    client_id: GITHUB.clientId,
    redirect_uri: GITHUB.callback,
    scope: 'user:email',
    state: expect.stringMatching(/^[\w-]{43}$/),
    code_challenge: expect.stringMatching(/^[\w-]{43}$/),
    code_challenge_method: 'S256',
  })
  expect(asked.href).not.toContain(GITHUB.clientSecret)
  const [cookie = ''] = response.headers.getSetCookie()
  expect(cookie).toMatch(/^__Host-daisi_github=.+; Max-Age=600; Path=\/; HttpOnly; Secure; SameSite=Lax$/)
  const token = decodeURIComponent(browser.cookies.get(FLOW_COOKIE) ?? '').split('|')[0] ?? ''
  expect(token).toMatch(/^daisi_lf_[\w-]{54}$/)
  expect(asked.href).not.toContain(token)
  expect(response.headers.get('referrer-policy')).toBe('no-referrer')
  expect(response.headers.get('cache-control')).toBe('no-store')
})

test('somebody whose verified primary address is known comes in as that person, and next time by their number', async () => {
  const scene = someone()
  const email = scene.emails[0]!.email
  await invitePerson(email)
  const browser = new Browser(INVITED)
  const first = await logInByGithub(scene, browser)
  expect([first.status, locationOf(first)]).toEqual([303, '/login'])
  expect(browser.cookies.get(LOGIN_COOKIE)).toBeDefined()
  expect(browser.cookies.get(FLOW_COOKIE)).toBeUndefined()
  expect(await userWith('email', email)).toMatchObject({
    id: `usr_${email}`,
    github_id: String(scene.user.id),
  })
  // Neither the name nor the address there counts any more.
  const moved = { ...scene, user: { ...scene.user, login: 'renamed' }, emails: [] }
  const second = await logInByGithub(moved)
  expect([second.status, locationOf(second)]).toEqual([303, '/login'])
})

test('nothing of GitHub is kept but the number', async () => {
  const scene = someone()
  const email = scene.emails[0]!.email
  await invitePerson(email)
  await logInByGithub(scene)
  const tables = await env.DB.prepare(
    `select name from sqlite_master where type = 'table' and name not like '\\_cf%' escape '\\'`,
  ).all<{ name: string }>()
  for (const { name } of tables.results) {
    const rows = await env.DB.prepare(`select * from "${name}"`).all()
    expect(JSON.stringify(rows.results)).not.toContain('gho_')
  }
})

test.each([
  ['an address that GitHub has not verified', (email: string) => [{ email, primary: true, verified: false }]],
  [
    'a verified address that is not the primary one',
    (email: string) => [
      { email: 'mine@example.test', primary: true, verified: true },
      { email, primary: false, verified: true },
    ],
  ],
])('%s opens nothing', async (_, emails) => {
  const victim = `victim-${crypto.randomUUID()}@example.test`
  await invitePerson(victim)
  const browser = new Browser(INVITED)
  const response = await logInByGithub(someone({ emails: emails(victim) }), browser)
  expect(response.status).toBe(403)
  expect(browser.cookies.get(LOGIN_COOKIE)).toBeUndefined()
  expect(await userWith('email', victim)).toMatchObject({ github_id: null })
})

test('another GitHub user with the same address is not the person whom this Orc knows', async () => {
  const scene = someone()
  await invitePerson(scene.emails[0]!.email)
  await logInByGithub(scene)
  const impostor = { ...someone(), emails: scene.emails }
  expect((await logInByGithub(impostor)).status).toBe(403)
})

test('nobody who is not invited comes in', async () => {
  const scene = someone()
  const browser = new Browser(INVITED)
  expect((await logInByGithub(scene, browser)).status).toBe(403)
  expect(browser.cookies.get(LOGIN_COOKIE)).toBeUndefined()
  expect(await userWith('github_id', String(scene.user.id))).toBeNull()
})

test('a login of somebody else, handed to this browser, is refused and stays with whoever began it', async () => {
  const attacker = new Browser(INVITED)
  const scene = someone()
  await invitePerson(scene.emails[0]!.email)
  const back = await atGithub(await beginAtGithub(attacker), scene)
  // Login CSRF: the victim has a login of their own under way, or none.
  const victim = new Browser(INVITED)
  expect((await victim.open(back)).status).toBe(400)
  await beginAtGithub(victim)
  expect((await victim.open(back)).status).toBe(400)
  expect(victim.cookies.get(LOGIN_COOKIE)).toBeUndefined()
  // The code was not spent on them.
  expect((await attacker.open(back)).status).toBe(303)
})

test('without state, with another state, or without the cookie nothing happens', async () => {
  const scene = someone()
  await invitePerson(scene.emails[0]!.email)
  for (const spoil of [
    (back: URL) => back.searchParams.delete('state'),
    (back: URL) => back.searchParams.set('state', ''),
    (back: URL) => back.searchParams.set('state', 'A'.repeat(43)),
  ]) {
    const browser = new Browser(INVITED)
    const back = new URL(await atGithub(await beginAtGithub(browser), scene), 'https://orc.test')
    spoil(back)
    expect((await browser.open(back.pathname + back.search)).status).toBe(400)
    expect(browser.cookies.get(LOGIN_COOKIE)).toBeUndefined()
  }
  const back = await atGithub(await beginAtGithub(new Browser(INVITED)), scene)
  expect((await new Browser(INVITED).open(back)).status).toBe(400)
})

test('a login counts once, even in the browser that began it', async () => {
  const scene = someone()
  await invitePerson(scene.emails[0]!.email)
  const browser = new Browser(INVITED)
  const back = await atGithub(await beginAtGithub(browser), scene)
  const flow = browser.cookies.get(FLOW_COOKIE) ?? ''
  expect((await browser.open(back)).status).toBe(303)
  browser.cookies.set(FLOW_COOKIE, flow)
  expect((await browser.open(back)).status).toBe(400)
})

test('a login that took too long is over', async () => {
  const scene = someone()
  await invitePerson(scene.emails[0]!.email)
  const browser = new Browser(INVITED)
  const back = await atGithub(await beginAtGithub(browser), scene)
  await env.DB.prepare(`update login_flows set expires_at = created_at where kind = 'github'`).run()
  expect((await browser.open(back)).status).toBe(400)
})

test('a code of another login is of no use: GitHub asks for the verifier', async () => {
  const scene = someone()
  await invitePerson(scene.emails[0]!.email)
  const stolen = new URL(await atGithub(await beginAtGithub(new Browser(INVITED)), scene), 'https://orc.test')
  const browser = new Browser(INVITED)
  const own = new URL(await atGithub(await beginAtGithub(browser), someone()), 'https://orc.test')
  own.searchParams.set('code', stolen.searchParams.get('code') ?? '')
  expect((await browser.open(own.pathname + own.search)).status).toBe(403)
  expect(browser.cookies.get(LOGIN_COOKIE)).toBeUndefined()
})

test('who cancels at GitHub is not logged in, and the login is over', async () => {
  const browser = new Browser(INVITED)
  const back = await atGithub(await beginAtGithub(browser), { denies: true })
  expect(back).toContain('error=access_denied')
  const response = await browser.open(back)
  expect(response.status).toBe(403)
  expect(await response.text()).not.toContain('access_denied')
  expect((await browser.open(back)).status).toBe(400)
})

test.each([
  ['access_token', 'down'],
  ['access_token', 'moved'],
  ['access_token', 'html'],
  ['access_token', 'odd'],
  ['user', 'down'],
  ['user', 'moved'],
  ['user', 'html'],
  ['emails', 'odd'],
  ['emails', 'moved'],
] as const)('%s being %s lets nobody in', async (step, fault) => {
  const scene = someone({ faults: { [step]: fault } })
  await invitePerson(scene.emails[0]!.email)
  const browser = new Browser(INVITED)
  expect((await logInByGithub(scene, browser)).status).toBe(502)
  expect(browser.cookies.get(LOGIN_COOKIE)).toBeUndefined()
})

test('a login leads to pages of this Orc only', async () => {
  const scene = someone()
  await invitePerson(scene.emails[0]!.email)
  for (const [asked, leadsTo] of [
    ['/device?user_code=BCDF-GHJK', '/device?user_code=BCDF-GHJK'],
    ['/device', '/device'],
    ['https://evil.test/', '/login'],
    ['//evil.test', '/login'],
    ['/\\evil.test', '/login'],
  ] as const) {
    const browser = new Browser(INVITED)
    const query = `?return_to=${encodeURIComponent(asked)}`
    expect(locationOf(await browser.open(await atGithub(await beginAtGithub(browser, query), scene)))).toBe(
      leadsTo,
    )
  }
  // A cookie that somebody bent leads nowhere else either.
  const browser = new Browser(INVITED)
  const back = await atGithub(await beginAtGithub(browser), scene)
  const token = decodeURIComponent(browser.cookies.get(FLOW_COOKIE) ?? '').split('|')[0] ?? ''
  browser.cookies.set(FLOW_COOKIE, encodeURIComponent(`${token}|https://evil.test/`))
  expect(locationOf(await browser.open(back))).toBe('/login')
})

test('without a client id there is no such login', async () => {
  const app = createApp()
  for (const path of ['/login/github', '/login/github/callback?code=a&state=b']) {
    const response = await app.request(path, {}, { ...env, GITHUB_CLIENT_ID: '' })
    expect(response.status).toBe(404)
    expect(response.headers.getSetCookie()).toEqual([])
  }
})
