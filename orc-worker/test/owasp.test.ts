import { listDurableObjectIds, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { type AccountCreated, type OwnInvitationList, type TransferOffered, keyScope } from '@daisi/protocol'
import { expect, test, vi } from 'vitest'
import { Browser, OPEN, beginEmailLogin, codeTo, logIn, newAddress } from './support/browser.ts'
import { newGrant } from './support/device.ts'
import { invite, newNetwork } from './support/networks.ts'
import { balanceOf, call, newAccount, newEnrolment, newKey, operatorAccount, settle } from './support/orc.ts'
import { chat, newScene } from './support/scene.ts'

// What docs/security.md says of an Orc as a whole and no other test shows.

/** Every row of every table of the database, as text. */
async function wholeDatabase(): Promise<string> {
  const tables = await env.DB.prepare(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\'",
  ).all<{ name: string }>()
  const rows = await Promise.all(
    tables.results.map(({ name }) => env.DB.prepare(`SELECT * FROM "${name}"`).all()),
  )
  return JSON.stringify(rows.map(({ results }) => results))
}

/** Every row that the Durable Objects of one kind keep, as text. */
async function everythingKeptBy(namespace: DurableObjectNamespace): Promise<string> {
  const kept: unknown[] = []
  for (const id of await listDurableObjectIds(namespace)) {
    kept.push(
      await runInDurableObject(namespace.get(id), (_, { storage }) => {
        const { sql } = storage
        const tables = sql.exec<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'")
        return tables
          .toArray()
          .filter(({ name }) => !name.startsWith('_cf_'))
          .map(({ name }) => sql.exec(`SELECT * FROM "${name}"`).toArray())
      }),
    )
  }
  return JSON.stringify(kept)
}

test('what a request adds to its fields changes nothing', async () => {
  const { token: operator } = await operatorAccount()
  const [victim, other] = [await newAccount('victim'), await newAccount('other')]
  const wished = { id: 'acc_wished', operator: true, balance: 1_000_000, tokenHash: 'x', token: 'x' }
  const made = await call('POST', '/api/accounts', { token: operator, body: { name: 'a', ...wished } })
  const account = await made.json<{ id: string; token: string }>()
  expect(account.id).not.toBe(wished.id)
  expect(account.token).not.toBe(wished.token)
  const view = await call('GET', '/api/account', { token: account.token })
  expect(await view.json()).toMatchObject({ operator: false, balance: { available: 10_000 } })

  const theirs = await newKey(victim)
  const added = { id: theirs.id, account_id: victim.id, app_id: 'app_x', revoked_at: null, hash: 'x' }
  const key = await newKey(other, { scopes: ['inference', 'sessions'], ...added })
  expect(key.id).not.toBe(theirs.id)
  const change = { name: 'mine', account_id: victim.id, hash: 'x' }
  expect((await call('PATCH', `/api/keys/${key.id}`, { token: other.token, body: change })).status).toBe(200)
  expect(await (await call('GET', '/api/apps', { token: victim.token })).text()).not.toContain(key.id)

  const more = { scopes: keyScope.options, keyId: theirs.id, accountId: victim.id, networks: [] }
  const opened = await call('POST', '/v1/sessions', { token: key.key, body: more })
  expect(opened.status).toBe(201)
  const { id } = await opened.json<{ id: string }>()
  const asUsage = { token: key.key, headers: { 'daisi-session': id } }
  expect((await call('GET', '/v1/usage', asUsage)).status).toBe(403)
  expect((await call('GET', `/v1/sessions/${id}`, { token: theirs.key })).status).toBe(404)
})

test('an error says nothing about how the Orc is made', async () => {
  const account = await newAccount('account')
  await env.DB.prepare('ALTER TABLE apps RENAME TO away').run()
  const log = vi.spyOn(console, 'log').mockReturnValue()
  const response = await call('GET', '/api/apps', { token: account.token })
  log.mockRestore()
  await env.DB.prepare('ALTER TABLE away RENAME TO apps').run()
  expect(response.status).toBe(503)
  expect(await response.text()).not.toMatch(/select|sqlite|d1_|no such|stack|\.ts\b/i)
})

test('no credential stands in the database that gave it out', async () => {
  const account = await newAccount('account')
  const key = await newKey(account)
  const tokenRequest = { token: key.key, body: { origins: null } }
  const browserToken = await (await call('POST', '/v1/tokens', tokenRequest)).json<{ token: string }>()
  const enrolment = await newEnrolment(account)
  const grant = await newGrant()
  const invitation = await invite(account, await newNetwork(account), 'account')
  const { owner, host } = await newScene()
  const offer = await call('POST', `/api/hosts/${host.keys.id}/transfer`, { token: owner.token })
  const { token: transfer } = await offer.json<TransferOffered>()
  const { browser } = await logIn()
  const [waiting, email] = [new Browser(OPEN), newAddress()]
  const flow = await beginEmailLogin(waiting, email)
  const code = await codeTo(email)

  const given = {
    'secret-key': key.key,
    'browser-token': browserToken.token,
    'account-token': account.token,
    'enrolment-token': enrolment.token,
    'device-code': grant.device_code,
    'user-code': grant.user_code,
    'network-invitation': invitation,
    'host-transfer': transfer,
    'login-flow': flow,
    'login-session': browser.login,
    'login-code': code,
  }
  const kept = (await wholeDatabase()) + (await everythingKeptBy(env.SESSIONS))
  expect(kept).toContain(email)
  const exposed = Object.entries(given).filter(
    ([, secret]) => secret === undefined || secret.length < 6 || kept.includes(`"${secret}"`),
  )
  expect(exposed).toEqual([])
  // The long ones are nowhere inside anything either. A code of six digits could be part of any number.
  const long = Object.entries(given).filter(([, secret]) => secret !== undefined && secret.length > 20)
  expect(long).toHaveLength(9)
  expect(long.filter(([, secret]) => secret !== undefined && kept.includes(secret))).toEqual([])
  expect(kept).not.toContain(grant.user_code.replace('-', ''))
})

test('of a chat neither prompt nor answer is kept or logged, and its key neither', async () => {
  const log = vi.spyOn(console, 'log')
  const scene = await newScene()
  const [prompt, answer] = ['the prompt of nobody', 'the answer of nobody']
  const chats = chat(scene, { messages: [{ role: 'user', content: prompt }] })
  const run = await scene.host.serve([answer])
  const response = await chats
  expect(JSON.stringify(run)).toContain(prompt)
  expect(await response.text()).toContain(answer)
  await settle(scene.key.key)
  const lines = JSON.stringify(log.mock.calls)
  log.mockRestore()
  const objects = [env.SESSIONS, env.HOSTS, env.DIRECTORIES, env.BOOKKEEPER]
  const kept = [lines, await wholeDatabase()]
  for (const namespace of objects) kept.push(await everythingKeptBy(namespace))
  // What was looked through is what the chat left behind.
  expect(kept.join('')).toContain(scene.model)
  expect((await balanceOf(scene.owner)).available).toBeGreaterThan(10_000)
  for (const secret of [prompt, answer, scene.key.key, run.sessionToken])
    expect(kept.filter((text) => text.includes(secret))).toEqual([])
})

test('with another secret nothing that was given out counts, and people come back as who they are', async () => {
  const { token: operatorToken } = await operatorAccount()
  const { browser, email, me } = await logIn()
  const owned = { body: { email, role: 'owner' } }
  await call('POST', '/api/members', { token: operatorToken, ...owned })
  const own = await browser.call('GET', '/api/me/invitations')
  const [invitation] = (await own.json<OwnInvitationList>()).invitations
  await browser.call('POST', `/api/me/invitations/${invitation?.id}/accept`)
  await call('POST', '/api/operators', { token: operatorToken, body: { email } })

  expect((await browser.call('GET', '/api/audit')).status).toBe(200)

  const rotated = { ...OPEN, ORC_SECRET: 'b'.repeat(43) }
  const cookie = { cookie: `__Host-daisi_login=${browser.login}` }
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
  const ask = async (headers: Record<string, string>): Promise<number> =>
    (await new Browser(rotated).call('GET', '/api/audit', { headers })).status
  expect(await ask(cookie)).toBe(401)
  expect(await ask(bearer(operatorToken))).toBe(401)

  const back = await logIn(email, new Browser(rotated))
  expect(back.me.id).toBe(me.id)
  const headers = { 'daisi-account': 'acc_operator' }
  const replaced = await back.browser.call('POST', '/api/account/token', { headers })
  expect(replaced.status).toBe(200)
  const { token } = await replaced.json<AccountCreated>()
  expect(await ask(bearer(token))).toBe(200)
})
