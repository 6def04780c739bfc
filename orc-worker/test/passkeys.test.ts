import { env } from 'cloudflare:workers'
import type { PasskeyList, PasskeyView } from '@daisi/protocol'
import { expect, test } from 'vitest'
import { Authenticator, type Bent } from './support/authenticator.ts'
import { base64UrlEncode } from '../src/domain/base64url.ts'
import { carriesCertificates } from '../src/passkeys/webauthn.ts'
import { Browser, LOGIN_COOKIE, logIn as logInByEmail } from './support/browser.ts'
import { logIn, optionsFor, owner, register } from './support/passkeys.ts'
import { refusal } from './support/team.ts'

test('a passkey is added, logs its owner in anywhere, and is noted as used', async () => {
  const { browser, authenticator, email } = await owner()
  const elsewhere = new Browser()
  const response = await logIn(elsewhere, authenticator)
  expect(response.status).toBe(204)
  const me = await elsewhere.call('GET', '/api/me')
  expect(await me.json()).toMatchObject({ email })
  const { passkeys } = await (await browser.call('GET', '/api/me/passkeys')).json<PasskeyList>()
  expect(passkeys).toEqual([
    {
      id: authenticator.credentialId,
      name: 'key',
      created_at: expect.any(Number),
      last_used_at: expect.any(Number),
    },
  ])
})

test('options to log in name nobody, and options to register only what the caller has', async () => {
  const { browser, authenticator } = await owner()
  const login = await optionsFor(new Browser(), '/api/login/passkey/options')
  expect(login.options).toEqual({
    challenge: expect.stringMatching(/^[\w-]{43}$/),
    rpId: 'orc.test',
    timeout: 300_000,
    userVerification: 'required',
  })
  const { options } = await optionsFor(browser, '/api/me/passkeys/options')
  expect(options).toMatchObject({
    rp: { id: 'orc.test' },
    attestation: 'none',
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    excludeCredentials: [{ id: authenticator.credentialId }],
  })
})

test.each<[string, Bent]>([
  ['another site', { origin: 'https://evil.test' }],
  ['another port', { origin: 'https://orc.test:8443' }],
  ['another relying party', { rpId: 'evil.test' }],
  ['another challenge', { challenge: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' }],
  ['an answer to a registration', { type: 'webauthn.create' }],
  ['no check of the user', { userVerified: false }],
  ['a counter that stands still', { counter: 7 }],
  ['a counter that went back', { counter: 3 }],
  ['another owner', { userHandle: 'dXNyX3NvbWVib2R5' }],
  ['no owner', { userHandle: 'AA' }],
])('%s does not log in', async (_, bent) => {
  const { authenticator } = await owner()
  expect((await logIn(new Browser(), authenticator, { counter: 7 })).status).toBe(204)
  const browser = new Browser()
  const spoilt = await logIn(browser, authenticator, { counter: 8, ...bent })
  expect(await refusal(spoilt)).toEqual([401, 'login_failed'])
  expect(browser.cookies.get(LOGIN_COOKIE)).toBeUndefined()
  expect((await logIn(browser, authenticator, { counter: 9 })).status).toBe(204)
})

test('a passkey that nobody registered does not log in', async () => {
  const { authenticator, me } = await owner()
  const stranger = await Authenticator.make()
  expect(await refusal(await logIn(new Browser(), stranger, { userHandle: 'AA' }))).toEqual([
    401,
    'login_failed',
  ])
  // Nor does its signature under the name of one that is known.
  const browser = new Browser()
  const options = await optionsFor(browser, '/api/login/passkey/options')
  const userHandle = base64UrlEncode(new TextEncoder().encode(me.id))
  const credential = await stranger.logIn(options, { userHandle })
  const id = authenticator.credentialId
  const forged = await browser.call('POST', '/api/login/passkey', {
    body: {
      flow: options.flow,
      credential: { ...credential, id, rawId: id },
    },
  })
  expect(await refusal(forged)).toEqual([401, 'login_failed'])
})

test('an answer counts once, also if it comes twice at the same time', async () => {
  const { authenticator } = await owner()
  const options = await optionsFor(new Browser(), '/api/login/passkey/options')
  const credential = await authenticator.logIn(options)
  const answers = await Promise.all(
    [new Browser(), new Browser(), new Browser()].map((browser) =>
      browser.call('POST', '/api/login/passkey', { body: { flow: options.flow, credential } }),
    ),
  )
  expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([204, 401, 401])
})

test('a challenge is good for what it was made for, for whom, and for minutes', async () => {
  const { browser, authenticator } = await owner()
  const other = await logInByEmail()
  const fresh = await Authenticator.make()
  const options = await optionsFor(browser, '/api/me/passkeys/options')
  const credential = await fresh.register(options)
  const body = { flow: options.flow, name: 'key', credential }
  expect(await refusal(await other.browser.call('POST', '/api/me/passkeys', { body }))).toEqual([
    400,
    'invalid_request',
  ])
  // It was used up with that.
  expect(await refusal(await browser.call('POST', '/api/me/passkeys', { body }))).toEqual([
    400,
    'invalid_request',
  ])

  const registration = await optionsFor(browser, '/api/me/passkeys/options')
  const login = await authenticator.logIn({
    ...registration,
    options: { ...registration.options, rpId: 'orc.test' },
  })
  const misused = await browser.call('POST', '/api/login/passkey', {
    body: { flow: registration.flow, credential: login },
  })
  expect(await refusal(misused)).toEqual([401, 'login_failed'])

  const late = await optionsFor(new Browser(), '/api/login/passkey/options')
  await env.DB.prepare(`update login_flows set expires_at = created_at where kind = 'passkey'`).run()
  const answer = await authenticator.logIn(late)
  const tooLate = await new Browser().call('POST', '/api/login/passkey', {
    body: { flow: late.flow, credential: answer },
  })
  expect(await refusal(tooLate)).toEqual([401, 'login_failed'])
})

test.each<[string, Bent]>([
  ['another site', { origin: 'https://evil.test' }],
  ['another relying party', { rpId: 'evil.test' }],
  ['another challenge', { challenge: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' }],
  ['an answer to a login', { type: 'webauthn.get' }],
  ['no check of the user', { userVerified: false }],
  ['certificates that nobody asked for', { format: 'packed' }],
  ['an attestation that nobody asked for', { format: 'tpm' }],
])('%s makes no passkey', async (_, bent) => {
  const { browser } = await logInByEmail()
  const response = await register(browser, await Authenticator.make(), bent)
  expect(await refusal(response)).toEqual([400, 'invalid_request'])
  const list = await browser.call('GET', '/api/me/passkeys')
  expect(await list.json()).toEqual({ passkeys: [] })
})

test.each(['AAAA', 'o2NmbXRkbm9uZQ', 'not base64url!'])(
  'what is no attestation (%s) is refused',
  async (attestationObject) => {
    const { browser } = await logInByEmail()
    const options = await optionsFor(browser, '/api/me/passkeys/options')
    const credential = await (await Authenticator.make()).register(options)
    credential.response.attestationObject = attestationObject
    const response = await browser.call('POST', '/api/me/passkeys', {
      body: { flow: options.flow, name: 'key', credential },
    })
    expect(await refusal(response)).toEqual([400, 'invalid_request'])
  },
)

test('an authenticator may sign for itself, and brings no certificates', async () => {
  const { browser } = await logInByEmail()
  const authenticator = await Authenticator.make()
  expect((await register(browser, authenticator, { format: 'self' })).status).toBe(201)
  expect((await logIn(new Browser(), authenticator)).status).toBe(204)
  const options = await optionsFor(browser, '/api/me/passkeys/options')
  const carried = async (format: Bent['format']): Promise<boolean> =>
    carriesCertificates(await authenticator.register(options, { format: format ?? 'none' }))
  expect([await carried('none'), await carried('self')]).toEqual([false, false])
  expect([await carried('packed'), await carried('tpm')]).toEqual([true, true])
})

test('nobody registers the passkey of somebody else', async () => {
  const { authenticator } = await owner()
  const { browser } = await logInByEmail()
  expect(await refusal(await register(browser, authenticator))).toEqual([409, 'conflict'])
})

test('a passkey that was removed logs nobody in, and only its owner removes it', async () => {
  const { browser, authenticator } = await owner()
  const { browser: other } = await logInByEmail()
  const path = `/api/me/passkeys/${authenticator.credentialId}`
  expect(await refusal(await other.call('DELETE', path))).toEqual([404, 'not_found'])
  expect((await logIn(new Browser(), authenticator)).status).toBe(204)
  expect((await browser.call('DELETE', path)).status).toBe(204)
  expect(await refusal(await logIn(new Browser(), authenticator))).toEqual([401, 'login_failed'])
  expect(await refusal(await browser.call('DELETE', path))).toEqual([404, 'not_found'])
})

test('there is an end to how many passkeys somebody has', async () => {
  const { browser, me } = await logInByEmail()
  const insert = env.DB.prepare(
    `insert into passkeys (id, user_id, public_key, counter, transports, name, created_at) values (?, ?, '', 0, '[]', '', 0)`,
  )
  await env.DB.batch(
    Array.from({ length: 20 }, (_, index) => insert.bind(`${crypto.randomUUID()}-${index}`, me.id)),
  )
  expect(await refusal(await register(browser, await Authenticator.make()))).toEqual([409, 'conflict'])
})

test('other sites neither log in by a passkey nor add one', async () => {
  const { browser } = await logInByEmail()
  for (const path of [
    '/api/login/passkey/options',
    '/api/login/passkey',
    '/api/me/passkeys/options',
    '/api/me/passkeys',
  ]) {
    const response = await browser.call('POST', path, { body: {}, headers: { origin: 'https://evil.test' } })
    expect(await refusal(response)).toEqual([403, 'cross_site_request'])
  }
})

test('passkeys are for people who are logged in', async () => {
  for (const [method, path] of [
    ['POST', '/api/me/passkeys/options'],
    ['POST', '/api/me/passkeys'],
    ['GET', '/api/me/passkeys'],
    ['DELETE', '/api/me/passkeys/x'],
  ] as const) {
    expect((await new Browser().call(method, path, method === 'POST' ? { body: {} } : {})).status).toBe(401)
  }
})

test('a name is asked for', async () => {
  const { browser } = await logInByEmail()
  const options = await optionsFor(browser, '/api/me/passkeys/options')
  const credential = await (await Authenticator.make()).register(options)
  const response = await browser.call('POST', '/api/me/passkeys', {
    body: { flow: options.flow, name: ' ', credential },
  })
  expect(await response.json()).toMatchObject({ error: { param: 'name' } })
  const named = await browser.call('POST', '/api/me/passkeys', {
    body: { flow: options.flow, name: ' mine ', credential },
  })
  expect(await named.json<PasskeyView>()).toMatchObject({ name: 'mine', last_used_at: null })
})
