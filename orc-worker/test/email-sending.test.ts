import { env } from 'cloudflare:workers'
import { expect, test, vi } from 'vitest'
import {
  Browser,
  INVITED,
  OPEN,
  beginEmailLogin,
  codeTo,
  logIn,
  mailTo,
  newAddress,
} from './support/browser.ts'
import { EMAIL } from './support/email-stub.ts'
import { refusal } from './support/team.ts'

function answer(browser: Browser, flow: string, code: string): Promise<Response> {
  return browser.call('POST', '/api/login/email/verify', { body: { flow, code } })
}

test('the message says the code and nothing else of the flow; neither is stored', async () => {
  const browser = new Browser()
  const email = newAddress()
  const flow = await beginEmailLogin(browser, email)
  const [mail, ...more] = await mailTo(email)
  expect(more).toEqual([])
  expect(mail).toMatchObject({ from: EMAIL.from, to: email })
  expect(JSON.stringify(mail)).not.toContain(flow)
  const stored = JSON.stringify(
    await env.DB.prepare('select * from login_flows where email = ?').bind(email).all(),
  )
  expect(stored).not.toContain(flow)
  expect(stored).not.toContain(await codeTo(email))
})

test('without e-mail both routes say so', async () => {
  const browser = new Browser({ LOGIN_EMAIL: 'off' })
  const begun = await browser.call('POST', '/api/login/email', { body: { email: newAddress() } })
  expect(await refusal(begun)).toEqual([404, 'login_not_configured'])
  expect(await refusal(await answer(browser, 'x', '123456'))).toEqual([404, 'login_not_configured'])
})

function printed(calls: readonly (readonly unknown[])[]): { event: string; email: string; code: string }[] {
  return calls.map(([line]) => JSON.parse(String(line))).filter(({ event }) => event === 'login_code')
}

test('on the console a code is one line, for people who may come in', async () => {
  const log = vi.spyOn(console, 'log')
  const [email, stranger] = [newAddress(), newAddress()]
  const browser = new Browser({ ...OPEN, LOGIN_EMAIL: 'console' })
  const flow = await beginEmailLogin(browser, email)
  await beginEmailLogin(new Browser({ ...INVITED, LOGIN_EMAIL: 'console' }), stranger)
  const lines = printed(log.mock.calls)
  log.mockRestore()
  expect(lines).toEqual([{ event: 'login_code', email, code: lines[0]?.code, expiresInSeconds: 600 }])
  expect((await answer(browser, flow, lines[0]?.code ?? '')).status).toBe(204)
})

test.for([
  ['refuses', { EMAIL_TOKEN: 'wrong' }, 'status 403'],
  ['sends elsewhere', { EMAIL_ENDPOINT: 'https://mail.test/moved' }, 'status 307'],
  ['is not there', { EMAIL_ENDPOINT: 'https://nowhere.test/send' }, 'status 502'],
] as const)('a service that %s is noted without address and code', async ([, settings, reason]) => {
  const log = vi.spyOn(console, 'log')
  const email = newAddress()
  await beginEmailLogin(new Browser({ ...OPEN, ...settings }), email)
  const lines = log.mock.calls.map(([line]) => String(line))
  log.mockRestore()
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    { event: 'login_code_not_sent', reason, requestId: expect.stringMatching(/^req_/) },
  ])
  expect(await mailTo(email)).toEqual([])
})

test.for([
  '',
  'a',
  'a@b',
  'a b@c.test',
  'a@b@c.test',
  'a@c.test\r\nbcc: d@e.test',
  'a@-c.test',
  '.a@c.test',
  'ʞ@c.test',
  '\u212a@c.test',
  `${'a'.repeat(65)}@c.test`,
])('%j is no address', async (email) => {
  const response = await new Browser().call('POST', '/api/login/email', { body: { email } })
  expect(await refusal(response)).toEqual([400, 'invalid_request'])
})

test('what stands behind a plus belongs to the address', async () => {
  const email = newAddress()
  const plus = email.replace('@', '+other@')
  const [one, two] = [await logIn(email), await logIn(plus)]
  expect(two.me.id).not.toBe(one.me.id)
})
