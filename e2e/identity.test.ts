import { EventEmitter } from 'node:events'
import type { AccountCreated, KeyCreated } from '@daisi/protocol'
import type { BrowserToken } from '@daisi/protocol/consumer'
import { Daisi } from 'daisi-sdk'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { manageApi } from '../orc-local/src/manage-api.ts'
import { errorCode } from './support/chat.ts'
import { GRANT, type Network, startNetwork } from './support/network.ts'
import { Visitor } from './support/visitor.ts'

const MODEL = 'daisi-nano'
const PAGE = 'https://shop.example'
const REQUEST = { model: MODEL, temperature: 0, messages: [{ role: 'user', content: 'Hello' }] } as const

const codes = new EventEmitter()
let network: Network

beforeAll(async () => {
  network = await startNetwork(GRANT, ({ email, code }) => codes.emit(email, code))
  await network.startedHost()
})
afterAll(() => network?.stop())

/** An account whose first owner proved their address and accepted. */
async function newOwner(name: string): Promise<{ owner: Visitor; account: AccountCreated }> {
  const owner = new Visitor(network.url, `${name}@example.test`)
  const operator = manageApi(network.url, network.operator.token)
  const request = { name, owner_email: owner.email }
  const account = await operator.post<AccountCreated>('/api/accounts', request)
  await owner.logIn(codes)
  await acceptOnlyInvitation(owner)
  return { owner, account }
}

async function acceptOnlyInvitation(person: Visitor): Promise<void> {
  const { body } = await person.call('GET', '/api/me/invitations')
  expect(body.invitations).toHaveLength(1)
  const accepted = await person.call('POST', `/api/me/invitations/${body.invitations[0].id}/accept`)
  expect(accepted.status).toBe(200)
}

/** Lets somebody into an account, and in. */
async function newMember(owner: Visitor, name: string, role: string): Promise<Visitor> {
  const member = new Visitor(network.url, `${name}@example.test`)
  expect((await owner.call('POST', '/api/members', { email: member.email, role })).status).toBe(201)
  await member.logIn(codes)
  await acceptOnlyInvitation(member)
  return member
}

async function newKey(person: Visitor, rights: object): Promise<KeyCreated> {
  const app = await person.call('POST', '/api/apps', { name: 'shop' })
  const key = await person.call('POST', `/api/apps/${app.body.id}/keys`, { name: 'server', ...rights })
  expect([app.status, key.status]).toEqual([201, 201])
  return key.body as KeyCreated
}

/** What a page of an origin gets for a chat. */
async function chatFrom(token: string, origin: string | undefined): Promise<unknown[]> {
  const response = await fetch(`${network.url}/v1/chat/completions`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      ...(origin === undefined ? {} : { origin }),
    },
    body: JSON.stringify(REQUEST),
  })
  return [response.status, response.ok ? '' : await errorCode(response)]
}

test('who is invited comes in by a code and a cookie, and nobody else, and no page of another site acts for them', async () => {
  // Nobody knows this one: the answer is the same, and no code is sent.
  const mallory = new Visitor(network.url, 'mallory@example.test')
  const unexpected: unknown[] = []
  codes.on(mallory.email, (code) => unexpected.push(code))
  const flow = await mallory.beginLogin()
  const { owner } = await newOwner('ada')
  expect(unexpected).toEqual([])
  const verify = '/api/login/email/verify'
  expect(await mallory.refusal('POST', verify, { flow, code: '000000' })).toEqual([401, 'login_failed'])
  expect(owner.cookieRule).toMatch(/^__Host-daisi_login=\S+; .*HttpOnly; Secure; SameSite=Lax/)

  const me = await owner.call('GET', '/api/me')
  expect(me.body).toMatchObject({
    email: owner.email,
    operator: false,
    accounts: [{ name: 'ada', role: 'owner' }],
  })
  const crossSite = { origin: 'https://evil.example' }
  expect(await owner.refusal('POST', '/api/apps', { name: 'trap' }, crossSite)).toEqual([
    403,
    'cross_site_request',
  ])
  expect((await owner.call('GET', '/api/apps')).body).toEqual({ apps: [] })

  const stolen = owner.cookie
  expect((await owner.call('POST', '/api/logout')).status).toBe(204)
  owner.cookie = stolen
  expect(await owner.refusal('GET', '/api/me')).toEqual([401, 'missing_credentials'])
  owner.cookie = ''
  await owner.logIn(codes)
  expect((await owner.call('GET', '/api/me')).body).toEqual(me.body)
})

test('[M3] an operator makes a person one: they grant credits under their own name until it is taken back', async () => {
  const { owner, account } = await newOwner('grace')
  const path = `/api/accounts/${account.id}/adjustments`
  const gift = { amount: 500, note: 'welcome' }
  const once = { 'idempotency-key': 'gift-1' }
  expect(await owner.refusal('POST', path, gift, once)).toEqual([403, 'forbidden'])
  const operator = new Visitor(network.url, '')
  const byToken = { authorization: `Bearer ${network.operator.token}` }
  const granted = await operator.call('POST', '/api/operators', { email: owner.email }, byToken)
  expect(granted.status).toBe(204)
  expect((await owner.call('POST', path, gift, once)).body).toMatchObject({
    balance: { available: GRANT + 500 },
  })
  await owner.call('POST', path, gift, once)
  expect(await network.balance(account)).toMatchObject({ available: GRANT + 500 })
  const { id } = (await owner.call('GET', '/api/me')).body
  expect((await operator.call('DELETE', `/api/operators/${id}`, undefined, byToken)).status).toBe(204)
  expect(await owner.refusal('POST', path, gift, { 'idempotency-key': 'gift-2' })).toEqual([403, 'forbidden'])
  await network.expectBalanced()
})

test('members do what their role allows, at once when it changes, and nothing when they are sent away', async () => {
  const { owner } = await newOwner('joan')
  const member = await newMember(owner, 'bob', 'viewer')
  const { id } = (await member.call('GET', '/api/me')).body
  expect((await member.call('GET', '/api/account')).status).toBe(200)
  expect(await member.refusal('POST', '/api/apps', { name: 'shop' })).toEqual([403, 'forbidden'])
  expect((await owner.call('PATCH', `/api/members/${id}`, { role: 'admin' })).status).toBe(204)
  expect((await member.call('POST', '/api/apps', { name: 'shop' })).status).toBe(201)
  const climb = { email: 'eve@example.test', role: 'owner' }
  expect(await member.refusal('POST', '/api/members', climb)).toEqual([403, 'forbidden'])
  expect(await member.refusal('PATCH', `/api/members/${id}`, { role: 'owner' })).toEqual([403, 'forbidden'])
  // What is in another account is not there for them.
  const stranger = await newOwner('hedy')
  expect((await stranger.owner.call('GET', '/api/apps')).body).toEqual({ apps: [] })
  const other = { 'daisi-account': stranger.account.id }
  expect(await member.refusal('GET', '/api/account', undefined, other)).toEqual([404, 'not_found'])
  expect((await owner.call('DELETE', `/api/members/${id}`)).status).toBe(204)
  expect(await member.refusal('GET', '/api/account')).toEqual([403, 'forbidden'])
})

test('a key of a member spends its budget and no more', async () => {
  const { owner, account } = await newOwner('mary')
  const member = await newMember(owner, 'carl', 'member')
  const { key, id } = await newKey(member, { budget: 200, budget_period: 'month' })
  const daisi = new Daisi({ baseURL: `${network.url}/v1`, apiKey: key, maxRetries: 0 })
  const request = { ...REQUEST, max_tokens: 20 }
  const first = await daisi.chat.create(request)
  const tooMuch = daisi.chat.create({ ...REQUEST, max_tokens: 400 })
  await expect(tooMuch).rejects.toMatchObject({ code: 'insufficient_credits', status: 402 })
  await daisi.usage.get()
  const { body } = await owner.call('GET', '/api/apps')
  const [view] = body.apps[0].keys
  const spent = first.usage.total_tokens - first.usage.prompt_tokens_details.cached_tokens
  expect(view).toMatchObject({ id, budget: { credits: 200, period: 'month', spent } })
  expect(JSON.stringify(body)).not.toContain(key)
  expect(await network.balance(account)).toMatchObject({ spent })
  await network.expectBalanced()
})

test('a page chats with a token of its App’s server, from its own origin only, until the key is revoked', async () => {
  const { owner } = await newOwner('katherine')
  const secret = await newKey(owner, { scopes: ['inference', 'sessions'] })
  const server = new Daisi({ baseURL: `${network.url}/v1`, apiKey: secret.key, maxRetries: 0 })
  const minted: BrowserToken = await server.tokens.create({
    origins: [PAGE],
    ttl_seconds: 600,
    budget: 5_000,
  })
  expect(minted).toMatchObject({ origins: [PAGE], scopes: ['inference'], budget: 5_000 })
  const { token } = minted
  const preflight = await fetch(`${network.url}/v1/chat/completions`, {
    method: 'OPTIONS',
    headers: {
      origin: PAGE,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type',
    },
  })
  expect(preflight.headers.get('access-control-allow-headers')?.toLowerCase()).toContain('authorization')
  expect(await chatFrom(token, PAGE)).toEqual([200, ''])
  for (const origin of [undefined, 'https://evil.example', 'https://shop.example.evil.example', 'null'])
    expect(await chatFrom(token, origin)).toEqual([403, 'origin_not_allowed'])
  const asPage = { authorization: `Bearer ${token}`, origin: PAGE }
  const visitor = new Visitor(network.url, '')
  expect(await visitor.refusal('POST', '/v1/tokens', { origins: [PAGE] }, asPage)).toEqual([
    403,
    'insufficient_scope',
  ])
  expect(await visitor.refusal('POST', '/v1/sessions', {}, asPage)).toEqual([403, 'insufficient_scope'])
  expect(await visitor.refusal('GET', '/api/account', undefined, asPage)).toEqual([401, 'invalid_api_key'])

  expect((await owner.call('DELETE', `/api/keys/${secret.id}`)).status).toBe(204)
  expect(await chatFrom(token, PAGE)).toEqual([401, 'invalid_api_key'])
  await expect(server.chat.create(REQUEST)).rejects.toMatchObject({ code: 'invalid_api_key' })
  await network.expectBalanced()
})
