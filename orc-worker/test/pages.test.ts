import { expect, test } from 'vitest'
import {
  Browser,
  INVITED,
  LOGIN_COOKIE,
  codeTo,
  logIn,
  mailTo,
  newAddress,
  notThe,
} from './support/browser.ts'
import { locationOf } from './support/github-way.ts'
import { pageField } from './support/page-field.ts'

const EVIL = 'https://evil.test'

/** Asks for a code by the form: the page that asks for it back. */
async function askForCode(browser: Browser, email: string, returnTo = ''): Promise<string> {
  const response = await browser.submit('/login/email', { email, return_to: returnTo })
  expect(response.status).toBe(200)
  return response.text()
}

test.each(['/login', '/login?return_to=/device', '/login/github/callback?state=a', '/device?user_code=x'])(
  '%s runs nothing but its own, is framed by nobody and kept nowhere',
  async (path) => {
    const { browser } = path.startsWith('/device') ? await logIn() : { browser: new Browser() }
    const [first, second] = [await browser.open(path), await browser.open(path)]
    expect(Object.fromEntries(first.headers)).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'referrer-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'cross-origin-opener-policy': 'same-origin',
    })
    const policy = first.headers.get('content-security-policy') ?? ''
    const nonce = /'nonce-([\w-]{22})'/.exec(policy)?.[1] ?? 'none'
    expect(policy.split('; ')).toEqual([
      "default-src 'none'",
      `style-src 'nonce-${nonce}'`,
      `script-src 'nonce-${nonce}'`,
      "connect-src 'self'",
      "form-action 'self'",
      "base-uri 'none'",
      "frame-ancestors 'none'",
    ])
    expect(second.headers.get('content-security-policy')).not.toBe(policy)
    const page = await first.text()
    for (const [tag] of page.matchAll(/<(script|style)\b[^>]*>/g)) expect(tag).toContain(`nonce="${nonce}"`)
    expect(page).not.toMatch(/\son\w+=|style=|javascript:|src=/i)
  },
)

test('the page shows the ways in that this Orc has', async () => {
  const all = await (await new Browser().open('/login?return_to=/device')).text()
  expect(all).toContain('action="/login/email"')
  expect(all).toContain('href="/login/github?return_to=%2Fdevice"')
  expect(pageField(all, 'return_to')).toBe('/device')
  const none = await new Browser({ LOGIN_EMAIL: 'off', GITHUB_CLIENT_ID: '' }).open('/login')
  const page = await none.text()
  expect(page).not.toContain('/login/email')
  expect(page).not.toContain('/login/github')
  expect(page).toContain('passkey-login')
})

test('somebody logs in by the forms and comes to the page that they wanted', async () => {
  const browser = new Browser()
  const email = newAddress()
  const page = await askForCode(browser, email.toUpperCase(), '/device?user_code=BCDF-GHJK')
  expect(pageField(page, 'email')).toBe(email)
  const code = await codeTo(email)
  const fields = { flow: pageField(page, 'flow'), email, return_to: pageField(page, 'return_to') }
  const wrong = await browser.submit('/login/code', { ...fields, code: notThe(code) })
  expect(wrong.status).toBe(401)
  expect(pageField(await wrong.text(), 'flow')).toBe(fields.flow)
  expect(browser.login).toBeUndefined()
  const right = await browser.submit('/login/code', {
    ...fields,
    code: ` ${code.slice(0, 3)} ${code.slice(3)} `,
  })
  expect([right.status, locationOf(right)]).toEqual([303, '/device?user_code=BCDF-GHJK'])
  expect(browser.login).toBeDefined()
  const again = await new Browser().submit('/login/code', { ...fields, code })
  expect(again.status).toBe(401)
})

test('nobody learns from the page who is known here', async () => {
  const browser = new Browser(INVITED)
  const { email } = await logIn()
  const stranger = newAddress()
  const [known, unknown] = [await askForCode(browser, email), await askForCode(browser, stranger)]
  const shape = (page: string, address: string): string =>
    page
      .replaceAll(address, 'ADDRESS')
      .replaceAll(/daisi_lf_[\w-]+/g, 'FLOW')
      .replaceAll(/nonce="[\w-]+"/g, 'NONCE')
  expect(shape(known, email)).toBe(shape(unknown, stranger))
  expect(await mailTo(stranger)).toEqual([])
})

test.each(['no address', 'a@b', '', '"><script>alert(1)</script>@example.test'])(
  '%j is asked for again',
  async (email) => {
    const response = await new Browser().submit('/login/email', { email })
    expect(response.status).toBe(400)
    expect(await response.text()).not.toContain('<script>alert')
  },
)

test('a login leads to no other site, whatever the forms say', async () => {
  for (const asked of [
    EVIL,
    '//evil.test',
    '/\\evil.test',
    '/api/logout',
    'javascript:alert(1)',
    '/device?x="><script>',
  ]) {
    const browser = new Browser()
    const login = await (await browser.open(`/login?return_to=${encodeURIComponent(asked)}`)).text()
    expect(pageField(login, 'return_to')).toBe('/login')
    const email = newAddress()
    const page = await askForCode(browser, email, asked)
    expect(pageField(page, 'return_to')).toBe('/login')
    const fields = { flow: pageField(page, 'flow'), email, return_to: asked }
    const response = await browser.submit('/login/code', { ...fields, code: await codeTo(email) })
    expect(locationOf(response)).toBe('/login')
    // Nor does the address of the page lead anywhere else for somebody who is in already.
    const inside = await browser.open(`/login?return_to=${encodeURIComponent(asked)}`)
    expect(inside.status).toBe(200)
  }
})

test('what others wrote is text, never markup', async () => {
  const ORC_NAME = '<script>alert("orc")</script>'
  const page = await (await new Browser({ ORC_NAME }).open('/login')).text()
  expect(page).not.toContain(ORC_NAME)
  expect(page).toContain('&lt;script&gt;alert(&quot;orc&quot;)&lt;/script&gt;')
  const bent = { flow: '"><script>alert(1)</script>', email: `'"><img src=x onerror=alert(1)>`, code: '1' }
  const code = await (await new Browser().submit('/login/code', bent)).text()
  expect(code).not.toMatch(/<script>alert|<img/)
})

test('other sites log nobody in and nobody out, and decide about no Host', async () => {
  const { browser } = await logIn()
  for (const path of ['/login/email', '/login/code', '/login/end', '/login/invitation', '/device']) {
    for (const origin of [EVIL, 'null', 'https://orc.test.evil.test', 'http://orc.test', null]) {
      const response = await browser.submit(path, { email: 'a@example.test', user_code: 'BCDF-GHJK' }, origin)
      expect([path, origin, response.status]).toEqual([path, origin, 403])
      expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
    }
  }
  expect((await browser.call('GET', '/api/me')).status).toBe(200)
})

test('somebody who is in sees so, and logs out', async () => {
  const { browser, email } = await logIn()
  const home = await (await browser.open('/login')).text()
  expect(home).toContain(email)
  expect(locationOf(await browser.open('/login?return_to=/device'))).toBe('/device')
  const cookie = browser.cookies.header()
  const response = await browser.submit('/login/end', {})
  expect([response.status, locationOf(response)]).toEqual([303, '/login'])
  expect(browser.login).toBeUndefined()
  const after = await new Browser().call('GET', '/api/me', { headers: { ...cookie } })
  expect(after.status).toBe(401)
})

test('an invitation is accepted on the page, by whom it is for', async () => {
  const { browser: owner } = await logIn()
  const { browser: guest, email } = await logIn()
  const { browser: other } = await logIn()
  await owner.call('POST', '/api/members', { body: { email, role: 'viewer' } })
  const id = pageField(await (await guest.open('/login')).text(), 'invitation')
  expect(id).toMatch(/^inv_/)
  expect(await (await other.open('/login')).text()).not.toContain('inv_')
  await other.submit('/login/invitation', { invitation: id })
  expect((await (await other.call('GET', '/api/me')).json<{ accounts: unknown[] }>()).accounts).toHaveLength(
    1,
  )
  const joined = await guest.submit('/login/invitation', { invitation: id })
  expect([joined.status, locationOf(joined)]).toEqual([303, '/login'])
  expect((await (await guest.call('GET', '/api/me')).json<{ accounts: unknown[] }>()).accounts).toHaveLength(
    2,
  )
})

test('forms that are none are refused', async () => {
  const json = await new Browser().call('POST', '/login/email', { body: { email: 'a@example.test' } })
  expect(json.status).toBe(400)
  expect(json.headers.get('content-type')).toBe('text/html; charset=utf-8')
  expect(json.headers.getSetCookie().filter((cookie) => cookie.startsWith(LOGIN_COOKIE))).toEqual([])
})
