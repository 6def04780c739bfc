import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import type { BrowserToken } from '@daisi/protocol'
import { expect, test } from 'vitest'
import { hashCredential } from '../src/domain/credential.ts'
import type { ConsumerSession } from '../src/objects/session/object.ts'
import { sessionStub, tokenSessionName } from '../src/objects/stubs.ts'
import { balanced, total } from './support/books.ts'
import { tablesOf } from './support/tables.ts'
import { newNetwork } from './support/networks.ts'
import { call, newAccount, newKey } from './support/orc.ts'
import { type Scene, chat, errorCode, newScene } from './support/scene.ts'

const ORIGIN = 'https://app.example'

/** A page of this origin. */
const from = (origin: string): { headers: Record<string, string> } => ({ headers: { origin } })

function mint(
  key: string,
  body: Record<string, unknown> = {},
  headers: Record<string, string> = {},
): Promise<Response> {
  return call('POST', '/v1/tokens', { token: key, body: { origins: [ORIGIN], ...body }, headers })
}

async function newToken(key: string, body: Record<string, unknown> = {}): Promise<BrowserToken> {
  const response = await mint(key, body)
  if (response.status !== 201) throw new Error(await response.text())
  return response.json()
}

function withToken(scene: Scene, { token }: BrowserToken): Pick<Scene, 'key' | 'model'> {
  return { key: { ...scene.key, key: token }, model: scene.model }
}

async function sessionOf({ token }: BrowserToken): Promise<DurableObjectStub<ConsumerSession>> {
  return sessionStub(env, tokenSessionName(await hashCredential(token)))
}

async function status(token: string, path = '/v1/models'): Promise<number> {
  const response = await call('GET', path, { token, ...from(ORIGIN) })
  await response.body?.cancel()
  return response.status
}

test('[B4] a token works like a key, for pages of its origins, and its App pays', async () => {
  const scene = await newScene()
  const now = Date.now() / 1000
  const token = await newToken(scene.key.key)
  expect(token).toMatchObject({
    object: 'browser_token',
    token: expect.stringMatching(/^daisi_bt_/),
    origins: [ORIGIN],
    scopes: ['inference'],
    networks: ['public'],
    models: null,
    budget: null,
  })
  expect(token.expires_at - now).toBeGreaterThan(890)
  expect(token.expires_at - now).toBeLessThanOrEqual(900)
  const answer = chat(withToken(scene, token), {}, from(ORIGIN))
  await scene.host.serve(['ok'])
  const response = await answer
  expect(response.status).toBe(200)
  expect(response.headers.get('access-control-allow-origin')).toBe('*')
  expect(response.headers.get('access-control-allow-credentials')).toBe(null)
  await runDurableObjectAlarm(await sessionOf(token))
  expect(await total(scene.consumer)).toBe(10_000 - 11)
  await balanced()
})

test('[B4] the token is stored nowhere', async () => {
  const scene = await newScene()
  const token = await newToken(scene.key.key)
  expect(await status(token.token)).toBe(200)
  const kept = await runInDurableObject(await sessionOf(token), (_, state) =>
    JSON.stringify(state.storage.sql.exec('SELECT * FROM facts').toArray()),
  )
  expect(kept).toContain(ORIGIN)
  expect(kept).not.toContain(token.token)
})

test.for([
  ['another origin', 'https://evil.example'],
  ['none', undefined],
  ['another scheme', 'http://app.example'],
  ['another port', 'https://app.example:8443'],
  ['a longer name', 'https://app.example.evil.example'],
  ['what sandboxed pages send', 'null'],
  ['another case', 'https://APP.example'],
] as const)('[B4] a page of %s is refused', async ([, origin]) => {
  const scene = await newScene()
  const token = await newToken(scene.key.key, { scopes: ['inference', 'usage'] })
  const options = origin === undefined ? {} : from(origin)
  const answers = [
    await chat(withToken(scene, token), {}, options),
    await call('GET', '/v1/models', { token: token.token, ...options }),
    await call('GET', '/v1/usage', { token: token.token, ...options }),
    await call('POST', '/v1/tokens', { token: token.token, body: { origins: null }, ...options }),
  ]
  for (const answer of answers) {
    expect([answer.status, await errorCode(answer)]).toEqual([403, 'origin_not_allowed'])
  }
})

test('[B4] without origins a token is for any caller, a Secret Key always is', async () => {
  const scene = await newScene()
  const token = await newToken(scene.key.key, { origins: null })
  for (const each of [token.token, scene.key.key]) {
    for (const options of [{}, from('https://anywhere.example')]) {
      const response = await call('GET', '/v1/models', { token: each, ...options })
      expect(response.status).toBe(200)
    }
  }
})

test.for([
  [{ origins: undefined }],
  [{ origins: [] }],
  [{ origins: ['*'] }],
  [{ origins: ['null'] }],
  [{ origins: ['http://app.example'] }],
  [{ origins: ['https://app.example/'] }],
  [{ origins: ['https://app.example/path'] }],
  [{ origins: ['https://App.example'] }],
  [{ origins: ['https://app.example:443'] }],
  [{ origins: ['https://user@app.example'] }],
  [{ origins: ['https://*.example'] }],
  [{ origins: ['http://localhost.evil.example'] }],
  [{ origins: ['javascript:alert(1)'] }],
  [{ ttl_seconds: 59 }],
  [{ ttl_seconds: 3_601 }],
  [{ budget: 0 }],
  [{ scopes: [] }],
  [{ scopes: ['sessions'] }],
  [{ models: [] }],
  [{ networks: [] }],
])('[B4] no token is minted for %j', async ([body]) => {
  const key = await newKey(await newAccount('a'))
  expect(await errorCode(await mint(key.key, body))).toBe('invalid_request')
})

test.for(['http://localhost', 'http://localhost:5173', 'http://127.0.0.1:3000', 'https://localhost:8443'])(
  '[B4] %s is an origin of development',
  async (origin) => {
    const key = await newKey(await newAccount('a'))
    expect((await mint(key.key, { origins: [origin] })).status).toBe(201)
  },
)

test('[B4] a token may do no more than its key', async () => {
  const account = await newAccount('a')
  const network = await newNetwork(account)
  const key = await newKey(account, { scopes: ['sessions', 'usage'], models: ['a', 'b'] })
  const other = await newKey(account, { scopes: ['inference'] })
  const code = async (response: Promise<Response>): Promise<string> => errorCode(await response)
  const usage = ['usage']
  expect(await code(mint(other.key))).toBe('insufficient_scope')
  expect(await code(mint(key.key))).toBe('insufficient_scope')
  expect(await code(mint(key.key, { scopes: ['usage', 'inference'] }))).toBe('insufficient_scope')
  expect(await code(mint(key.key, { scopes: usage, models: ['a', 'c'] }))).toBe('model_not_allowed')
  expect(await code(mint(key.key, { scopes: usage, networks: [network] }))).toBe('network_not_allowed')
  expect(await code(mint(key.key, { scopes: usage }, { 'daisi-network': network }))).toBe(
    'network_not_allowed',
  )
  expect(await newToken(key.key, { scopes: usage })).toMatchObject({ models: ['a', 'b'], scopes: usage })
  expect(await newToken(key.key, { scopes: usage, models: ['b'] })).toMatchObject({ models: ['b'] })
})

test('[B4] a token is narrowed to its Networks, models and scopes', async () => {
  const scene = await newScene()
  const network = await newNetwork(scene.consumer)
  const key = await newKey(scene.consumer, { networks: ['public', network] })
  const token = await newToken(key.key, { networks: [network], models: ['another'] })
  expect(token.networks).toEqual([network])
  const refused = async (headers: Record<string, string> = {}, body = {}): Promise<string> =>
    errorCode(await chat(withToken(scene, token), body, { headers: { origin: ORIGIN, ...headers } }))
  expect(await refused()).toBe('model_not_allowed')
  expect(await refused({ 'daisi-network': 'public' })).toBe('network_not_allowed')
  expect(await refused({}, { model: 'another' })).toBe('no_host_available')
  const usage = await call('GET', '/v1/usage', { token: token.token, ...from(ORIGIN) })
  expect(await errorCode(usage)).toBe('insufficient_scope')
})

test('[B4] a token neither mints tokens nor opens Sessions, and joins none', async () => {
  const scene = await newScene()
  const token = await newToken(scene.key.key, { scopes: ['inference', 'usage'] })
  const opened = await call('POST', '/v1/sessions', { token: scene.key.key, body: {} })
  const { id } = await opened.json<{ id: string }>()
  const page = from(ORIGIN)
  for (const path of ['/v1/tokens', '/v1/sessions']) {
    const answer = await call('POST', path, { token: token.token, body: { origins: null }, ...page })
    expect([answer.status, await errorCode(answer)]).toEqual([403, 'insufficient_scope'])
  }
  const joined = { headers: { origin: ORIGIN, 'daisi-session': id } }
  const answers = [
    await chat(withToken(scene, token), {}, joined),
    await call('GET', `/v1/sessions/${id}`, { token: token.token, ...page }),
    await call('DELETE', `/v1/sessions/${id}`, { token: token.token, ...page }),
  ]
  for (const answer of answers) expect([answer.status, await errorCode(answer)]).toEqual([404, 'not_found'])
  expect((await call('GET', '/api/account', { token: token.token })).status).toBe(401)
  expect(await status(scene.key.key, `/v1/sessions/${id}`)).toBe(200)
})

test('[B4] a token has its own budget, within that of its key', async () => {
  const scene = await newScene()
  const token = await newToken(scene.key.key, { budget: 70 })
  const page = from(ORIGIN)
  const answer = chat(withToken(scene, token), {}, page)
  await scene.host.serve(['ok'])
  expect((await answer).status).toBe(200)
  expect(await errorCode(await chat(withToken(scene, token), {}, page))).toBe('insufficient_credits')
  const [large, path] = [await newToken(scene.key.key, { budget: 5_000 }), `/api/keys/${scene.key.id}`]
  await call('PATCH', path, { token: scene.consumer.token, body: { budget: 40 } })
  expect(await errorCode(await chat(withToken(scene, large), {}, page))).toBe('insufficient_credits')
})

test('[A1, B4] made-up, expired and revoked tokens are answered like any wrong key', async () => {
  const scene = await newScene()
  const [expired, revoked] = [await newToken(scene.key.key), await newToken(scene.key.key)]
  expect([await status(expired.token), await status(revoked.token)]).toEqual([200, 200])
  await runInDurableObject(await sessionOf(expired), (_, state) =>
    state.storage.sql.exec(
      `UPDATE facts SET value = json_set(value, '$.expiresAt', 1) WHERE name IN ('record', 'grant')`,
    ),
  )
  await evictDurableObject(await sessionOf(expired))
  const madeUp = revoked.token.slice(0, -1) + (revoked.token.endsWith('A') ? 'B' : 'A')
  const answers = [await call('GET', '/v1/models', { token: expired.token, ...from(ORIGIN) })]
  await call('DELETE', `/api/keys/${scene.key.id}`, { token: scene.consumer.token })
  for (const token of [revoked.token, madeUp, 'daisi_bt_x', 'x', scene.key.key])
    answers.push(await call('GET', '/v1/models', { token, ...from(ORIGIN) }))
  const told = await Promise.all(answers.map((answer) => answer.text()))
  expect(answers.map((answer) => answer.status)).toEqual([401, 401, 401, 401, 401, 401])
  expect(new Set(told).size).toBe(1)
})

test('[B2] what its key loses a token loses at once, and does not get back more than it had', async () => {
  const scene = await newScene()
  const token = await newToken(scene.key.key, { models: [scene.model] })
  const change = (body: unknown): Promise<Response> =>
    call('PATCH', `/api/keys/${scene.key.id}`, { token: scene.consumer.token, body })
  const page = from(ORIGIN)
  const answer = chat(withToken(scene, token), {}, page)
  await scene.host.serve(['ok'])
  expect((await answer).status).toBe(200)
  await change({ models: ['another'] })
  expect(await errorCode(await chat(withToken(scene, token), {}, page))).toBe('model_not_allowed')
  await change({ models: null })
  expect(await errorCode(await chat(withToken(scene, token), { model: 'another' }, page))).toBe(
    'model_not_allowed',
  )
  expect(await status(token.token)).toBe(200)
  await change({ scopes: ['sessions'] })
  expect(await errorCode(await chat(withToken(scene, token), {}, page))).toBe('insufficient_scope')
})

test('[B2] a change between the minting and the first use of a token reaches it', async () => {
  const scene = await newScene()
  const token = await newToken(scene.key.key)
  const body = { models: ['another'] }
  await call('PATCH', `/api/keys/${scene.key.id}`, { token: scene.consumer.token, body })
  expect(await errorCode(await chat(withToken(scene, token), {}, from(ORIGIN)))).toBe('model_not_allowed')
})

test('[B4] a token ends with its key at the latest', async () => {
  const key = await newKey(await newAccount('a'), { ttl_seconds: 60 })
  expect((await newToken(key.key, { ttl_seconds: 3_600 })).expires_at).toBe(key.expires_at)
})

test('[B4] what is kept for a token goes when it ends', async () => {
  const scene = await newScene()
  const token = await newToken(scene.key.key)
  expect(await status(token.token)).toBe(200)
  const session = await sessionOf(token)
  await runInDurableObject(session, (_, state) =>
    state.storage.sql.exec(
      `UPDATE facts SET value = json_set(value, '$.expiresAt', 1) WHERE name IN ('record', 'grant')`,
    ),
  )
  await evictDurableObject(session)
  expect(await runDurableObjectAlarm(session)).toBe(true)
  expect(await status(token.token)).toBe(401)
  await evictDurableObject(session)
  expect(await tablesOf(session)).toEqual([])
  // Its key can still be revoked.
  const revoked = await call('DELETE', `/api/keys/${scene.key.id}`, { token: scene.consumer.token })
  expect(revoked.status).toBe(204)
})
