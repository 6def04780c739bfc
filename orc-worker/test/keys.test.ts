import { env } from 'cloudflare:workers'
import type { AccountCreated, AppList, KeyCreated, KeyView } from '@daisi/protocol'
import { expect, test } from 'vitest'
import { database } from '../src/db/client.ts'
import { changeKey, revokeKey, rotateKey } from '../src/db/keys.ts'
import { hashCredential } from '../src/domain/credential.ts'
import { makeGuest, newNetwork } from './support/networks.ts'
import { call, newAccount, newKey } from './support/orc.ts'
import { chat, errorCode, newScene } from './support/scene.ts'

const DAY_SECONDS = 24 * 60 * 60

async function appsOf(account: AccountCreated): Promise<AppList['apps']> {
  const response = await call('GET', '/api/apps', { token: account.token })
  expect(response.status).toBe(200)
  return (await response.json<AppList>()).apps
}

async function viewOf(account: AccountCreated, keyId: string): Promise<KeyView> {
  const keys = (await appsOf(account)).flatMap((app) => app.keys)
  return keys.find(({ id }) => id === keyId)!
}

function change(account: AccountCreated, keyId: string, body: unknown): Promise<Response> {
  return call('PATCH', `/api/keys/${keyId}`, { token: account.token, body })
}

function rotate(account: AccountCreated, keyId: string, body: unknown = {}): Promise<Response> {
  return call('POST', `/api/keys/${keyId}/rotate`, { token: account.token, body })
}

async function opens(key: string): Promise<number> {
  const response = await call('GET', '/v1/models', { token: key })
  await response.body?.cancel()
  return response.status
}

test('[B1] Apps are listed with their keys, and never with a secret', async () => {
  const [mine, theirs] = [await newAccount('mine'), await newAccount('theirs')]
  const network = await newNetwork(mine)
  const rights = {
    scopes: ['inference', 'usage'],
    networks: [network, 'public'],
    models: ['a', 'b'],
    spend_order: ['private', 'own'],
    budget: 500,
    budget_period: 'week',
  } as const
  const made = await newKey(mine, { ...rights, ttl_seconds: DAY_SECONDS })
  await newKey(theirs)
  const now = Math.floor(Date.now() / 1000)
  const [app] = await appsOf(mine)
  const { budget, budget_period, ...shown } = rights
  const { key, ...view } = made
  expect(app?.keys).toEqual([view])
  expect(view).toMatchObject({ ...shown, revoked_at: null, replaced_by: null, last_used_at: null })
  expect(view.budget).toMatchObject({ credits: budget, period: budget_period, spent: 0, held: 0 })
  expect(view.expires_at! - now).toBeGreaterThan(DAY_SECONDS - 60)
  expect(view.expires_at! - now).toBeLessThanOrEqual(DAY_SECONDS)
  const text = await (await call('GET', '/api/apps', { token: mine.token })).text()
  expect(text).not.toContain(key)
  expect(text).not.toContain(await hashCredential(key))
})

test('an App is renamed by its account only', async () => {
  const [mine, theirs] = [await newAccount('mine'), await newAccount('theirs')]
  const app = await call('POST', '/api/apps', { token: mine.token, body: { name: 'first' } })
  const { id } = await app.json<{ id: string }>()
  const rename = (account: AccountCreated): Promise<Response> =>
    call('PATCH', `/api/apps/${id}`, { token: account.token, body: { name: 'second' } })
  expect((await rename(theirs)).status).toBe(404)
  expect((await appsOf(mine))[0]?.name).toBe('first')
  expect((await rename(mine)).status).toBe(200)
  expect((await appsOf(mine))[0]?.name).toBe('second')
})

test('[B1] a key names only Networks that its account may use; another is answered as one that does not exist', async () => {
  const [owner, guest, stranger] = [
    await newAccount('owner'),
    await newAccount('guest'),
    await newAccount('stranger'),
  ]
  const network = await newNetwork(owner)
  await makeGuest(owner, network, guest)
  expect((await newKey(guest, { networks: [network] })).networks).toEqual([network])
  const key = await newKey(stranger)
  const answers = await Promise.all(
    [network, 'no-such-network'].map((name) => change(stranger, key.id, { networks: [name] })),
  )
  const told = await Promise.all(answers.map(async (answer) => [answer.status, await answer.json()]))
  expect(told[0]).toMatchObject([403, { error: { code: 'network_not_allowed', param: 'networks' } }])
  expect(JSON.stringify(told[0])).toBe(JSON.stringify(told[1]).replaceAll('no-such-network', network))
  expect((await viewOf(stranger, key.id)).networks).toEqual(['public'])
})

test.for([
  [{ budget: 0 }],
  [{ budget: 1.5 }],
  [{ budget_period: 'day' }],
  [{ budget: 5, budget_period: 'year' }],
  [{ ttl_seconds: 0 }],
  [{ scopes: [] }],
  [{ scopes: ['everything'] }],
  [{ scopes: ['usage', 'usage'] }],
  [{ networks: [] }],
  [{ models: [] }],
  [{ spend_order: ['own', 'own'] }],
  [{ spend_order: [] }],
  [{ name: '' }],
])('a key is not made with %j', async ([body]) => {
  await expect(newKey(await newAccount('a'), body)).rejects.toThrow('invalid_request')
})

test('a change names something, a period needs a budget, and a budget that goes takes its period along', async () => {
  const account = await newAccount('a')
  const { id } = await newKey(account)
  expect(await errorCode(await change(account, id, {}))).toBe('invalid_request')
  expect(await errorCode(await change(account, id, { budget_period: 'day' }))).toBe('invalid_request')
  expect((await change(account, id, { budget: 5, budget_period: 'day' })).status).toBe(200)
  expect((await change(account, id, { budget_period: 'month' })).status).toBe(200)
  expect((await viewOf(account, id)).budget).toMatchObject({ credits: 5, period: 'month' })
  expect((await change(account, id, { budget: null })).status).toBe(200)
  expect((await viewOf(account, id)).budget).toBe(null)
  expect((await change(account, id, { budget: 7 })).status).toBe(200)
  expect((await viewOf(account, id)).budget).toMatchObject({ credits: 7, period: null, resets_at: null })
})

test('no account sees, changes, rotates or revokes a key of another', async () => {
  const [mine, theirs] = [await newAccount('mine'), await newAccount('theirs')]
  const key = await newKey(theirs)
  const attempts = [
    await change(mine, key.id, { name: 'x' }),
    await rotate(mine, key.id),
    await call('DELETE', `/api/keys/${key.id}`, { token: mine.token }),
  ]
  for (const attempt of attempts) {
    expect([attempt.status, await errorCode(attempt)]).toEqual([404, 'not_found'])
  }
  expect(await appsOf(mine)).toEqual([])
  expect(await opens(key.key)).toBe(200)
})

test('what changes, rotates or revokes a key in the database asks itself whose it is', async () => {
  const [mine, theirs] = [await newAccount('mine'), await newAccount('theirs')]
  const key = await newKey(theirs)
  const db = database(env)
  const stolen = { id: key.id, accountId: mine.id }
  const successor = { id: 'key_stolen', hash: 'stolen', prefix: 'stolen' }
  expect(await changeKey(db, stolen, { name: 'stolen' })).toBe(undefined)
  expect(await rotateKey(db, stolen, successor, 0, Date.now())).toBe(undefined)
  expect(await revokeKey(db, stolen, Date.now())).toBe(undefined)
  const keys = (await appsOf(theirs)).flatMap((app) => app.keys)
  expect(keys).toMatchObject([{ id: key.id, name: key.name, revoked_at: null, replaced_by: null }])
  const own = { id: key.id, accountId: theirs.id }
  expect(await changeKey(db, own, { name: 'mine' })).toBe(await hashCredential(key.key))
})

test('[B3] a rotation without overlap ends the old key at once; the new one has its rights', async () => {
  const scene = await newScene()
  const rights = { models: [scene.model], budget: 900, budget_period: 'day', ttl_seconds: DAY_SECONDS }
  await change(scene.consumer, scene.key.id, rights)
  expect(await opens(scene.key.key)).toBe(200)
  const rotated = await rotate(scene.consumer, scene.key.id)
  expect(rotated.status).toBe(201)
  const { key, ...view } = await rotated.json<KeyCreated>()
  const old = await viewOf(scene.consumer, scene.key.id)
  expect(old).toMatchObject({ replaced_by: view.id, revoked_at: expect.any(Number) })
  for (const right of [
    'name',
    'scopes',
    'networks',
    'models',
    'spend_order',
    'budget',
    'expires_at',
  ] as const) {
    expect(view[right]).toEqual(old[right])
  }
  expect([await opens(scene.key.key), await opens(key)]).toEqual([401, 200])
  const answer = chat({ key: { ...scene.key, key }, model: scene.model })
  await scene.host.serve(['ok'])
  expect((await answer).status).toBe(200)
  expect(await errorCode(await rotate(scene.consumer, scene.key.id))).toBe('conflict')
})

test('[B3] with an overlap both keys work until it is over, and the old one can neither be rotated nor changed', async () => {
  const account = await newAccount('a')
  const old = await newKey(account)
  expect(await opens(old.key)).toBe(200)
  const fresh = await (await rotate(account, old.id, { overlap_seconds: 3_600 })).json<KeyCreated>()
  expect(fresh.expires_at).toBe(null)
  expect([await opens(old.key), await opens(fresh.key)]).toEqual([200, 200])
  const view = await viewOf(account, old.id)
  expect(view).toMatchObject({ replaced_by: fresh.id, revoked_at: null })
  expect(view.expires_at! - Date.now() / 1000).toBeLessThanOrEqual(3_600)
  const again = [await rotate(account, old.id), await change(account, old.id, { ttl_seconds: null })]
  for (const answer of again) expect([answer.status, await errorCode(answer)]).toEqual([409, 'conflict'])
  const tooLong = await rotate(account, fresh.id, { overlap_seconds: 8 * DAY_SECONDS })
  expect(await errorCode(tooLong)).toBe('invalid_request')
  expect((await call('DELETE', `/api/keys/${old.id}`, { token: account.token })).status).toBe(204)
  expect([await opens(old.key), await opens(fresh.key)]).toEqual([401, 200])
})

test('[B3] an overlap never lets a key live longer than it would have', async () => {
  const account = await newAccount('a')
  const old = await newKey(account, { ttl_seconds: 120 })
  expect((await rotate(account, old.id, { overlap_seconds: 3_600 })).status).toBe(201)
  expect((await viewOf(account, old.id)).expires_at).toBe(old.expires_at)
})

test('[B3] of two rotations at once one wins', async () => {
  const account = await newAccount('a')
  const old = await newKey(account)
  const answers = await Promise.all([1, 2, 3].map(() => rotate(account, old.id)))
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409, 409])
  const [app] = await appsOf(account)
  expect(app?.keys.filter(({ revoked_at }) => revoked_at === null)).toHaveLength(1)
})

test('the use of a key is noted, off the path of its requests and not each time', async () => {
  const account = await newAccount('a')
  const key = await newKey(account)
  const noted = async (): Promise<number | null> => (await viewOf(account, key.id)).last_used_at
  expect(await noted()).toBe(null)
  expect(await opens(key.key)).toBe(200)
  await expect.poll(noted).toBeGreaterThan(Date.now() / 1000 - 60)
  await env.DB.prepare('UPDATE secret_keys SET last_used_at = 1000 WHERE id = ?').bind(key.id).run()
  expect(await opens(key.key)).toBe(200)
  expect(await noted()).toBe(1)
})
