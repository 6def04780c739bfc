import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { decodeJwt } from 'jose'
import { expect, test } from 'vitest'
import { hashCredential } from '../src/domain/credential.ts'
import type { ConsumerSession } from '../src/objects/session/object.ts'
import { plainSessionName, sessionStub } from '../src/objects/stubs.ts'
import { balanced } from './support/books.ts'
import { callerWith } from './support/caller.ts'
import { newDirectScene, openDirect, openedDirect } from './support/direct.ts'
import { newNetwork } from './support/networks.ts'
import { balanceOf, call, newAccount, newKey, settle } from './support/orc.ts'
import { type Scene, chat, errorCode, newScene } from './support/scene.ts'

async function change({ consumer, key }: Scene, body: unknown): Promise<void> {
  const response = await call('PATCH', `/api/keys/${key.id}`, { token: consumer.token, body })
  if (response.status !== 200) throw new Error(await response.text())
}

async function plainSession(key: string): Promise<DurableObjectStub<ConsumerSession>> {
  return sessionStub(env, plainSessionName(await hashCredential(key)))
}

async function openSession(scene: Scene, body: unknown = {}): Promise<Record<string, string>> {
  const response = await call('POST', '/v1/sessions', { token: scene.key.key, body })
  if (response.status !== 201) throw new Error(await response.text())
  return { 'daisi-session': (await response.json<{ id: string }>()).id }
}

async function served(scene: Scene, headers: Record<string, string> = {}): Promise<void> {
  const answer = chat(scene, {}, { headers })
  await scene.host.serve(['ok'])
  expect((await answer).status).toBe(200)
}

async function refused(scene: Scene, headers: Record<string, string> = {}): Promise<string> {
  return errorCode(await chat(scene, {}, { headers }))
}

test('[B2] models: what is not named is refused and not listed, at once after a change', async () => {
  const scene = await newScene()
  await served(scene)
  const headers = await openSession(scene)
  await change(scene, { models: ['another'] })
  expect([await refused(scene), await refused(scene, headers)]).toEqual([
    'model_not_allowed',
    'model_not_allowed',
  ])
  const list = await call('GET', '/v1/models', { token: scene.key.key })
  expect(await list.json()).toMatchObject({ data: [] })
  expect((await call('GET', `/v1/models/${scene.model}`, { token: scene.key.key })).status).toBe(404)
  await change(scene, { models: [scene.model] })
  await served(scene)
  await served(scene, headers)
})

test('[B2] an opened Session never gains what its key gained after it was opened', async () => {
  const scene = await newScene()
  const network = await newNetwork(scene.consumer)
  await change(scene, { models: ['another'], scopes: ['inference', 'sessions'] })
  const headers = await openSession(scene)
  await change(scene, {
    models: null,
    networks: ['public', network],
    scopes: ['inference', 'sessions', 'usage'],
  })
  await served(scene)
  expect(await refused(scene, headers)).toBe('model_not_allowed')
  expect(await refused(scene, { ...headers, 'daisi-network': network })).toBe('network_not_allowed')
  const usage = await call('GET', '/v1/usage', { token: scene.key.key, headers })
  expect(await errorCode(usage)).toBe('insufficient_scope')
  expect((await call('GET', '/v1/usage', { token: scene.key.key })).status).toBe(200)
})

test('[B2] scopes and Networks: a change is in force at once, in every Session', async () => {
  const scene = await newScene()
  const network = await newNetwork(scene.consumer)
  await change(scene, { networks: ['public', network] })
  const named = { 'daisi-network': 'public' }
  const headers = await openSession(scene)
  await served(scene)
  await served(scene, named)
  await served(scene, headers)
  await change(scene, { networks: [network] })
  expect([await refused(scene, named), await refused(scene)]).toEqual([
    'network_not_allowed',
    'no_host_available',
  ])
  expect(await refused(scene, headers)).toBe('no_host_available')
  await change(scene, { networks: ['public'], scopes: ['usage'] })
  for (const each of [named, {}, headers]) expect(await refused(scene, each)).toBe('insufficient_scope')
  await change(scene, { scopes: ['inference'] })
  await served(scene, named)
})

test('[B2] a Network that a key lost and its Session there stay lost when the key is revoked', async () => {
  const scene = await newScene()
  const network = await newNetwork(scene.consumer)
  await change(scene, { networks: ['public', network] })
  await served(scene, { 'daisi-network': 'public' })
  await change(scene, { networks: [network] })
  await call('DELETE', `/api/keys/${scene.key.id}`, { token: scene.consumer.token })
  for (const headers of [{ 'daisi-network': 'public' }, { 'daisi-network': network }, {}]) {
    expect(await refused(scene, headers)).toBe('invalid_api_key')
  }
})

test('[B2] spend order: a key that names only private Networks does not reach a public Host', async () => {
  const scene = await newScene()
  await served(scene)
  await change(scene, { spend_order: ['private'] })
  expect(await refused(scene)).toBe('no_host_available')
  await change(scene, { spend_order: null })
  await served(scene)
})

test('[B2] where D1 cannot be asked, nobody is let in on an old word', async () => {
  const scene = await newScene()
  await served(scene)
  const headers = await openSession(scene)
  await change(scene, { name: 'changed' })
  await env.DB.prepare('ALTER TABLE networks RENAME TO away').run()
  const codes = [await refused(scene), await refused(scene, headers)]
  await evictDurableObject(await plainSession(scene.key.key))
  codes.push(await refused(scene))
  await env.DB.prepare('ALTER TABLE away RENAME TO networks').run()
  expect(codes).toEqual(['storage_unavailable', 'storage_unavailable', 'storage_unavailable'])
  await served(scene)
  await served(scene, headers)
})

test('[B2] running Jobs and what they owe go on under a changed or expired key', async () => {
  const scene = await newScene()
  const answer = chat(scene)
  const run = await scene.host.receive('run')
  await change(scene, { models: ['another'] })
  await env.DB.prepare('UPDATE secret_keys SET expires_at = 1 WHERE id = ?').bind(scene.key.id).run()
  await (await plainSession(scene.key.key)).refresh()
  expect(await refused(scene)).toBe('invalid_api_key')
  scene.host.accept(run)
  scene.host.sendFrame(run.jobId, 0, 'x')
  await scene.host.end(run, { promptTokens: 10, cachedTokens: 0, generatedTokens: 1 })
  expect((await answer).status).toBe(200)
  await runDurableObjectAlarm(await plainSession(scene.key.key))
  expect(await balanceOf(scene.owner)).toMatchObject({ available: 10_011 })
  await balanced()
})

test('[B1] an expired key is answered like an unknown one, in every Session of it', async () => {
  const scene = await newScene()
  const headers = await openSession(scene, { ttl_seconds: 600 })
  await served(scene)
  await change(scene, { ttl_seconds: 3_600 })
  await served(scene)
  await env.DB.prepare('UPDATE secret_keys SET expires_at = ? WHERE id = ?')
    .bind(Date.now() - 1, scene.key.id)
    .run()
  await (await plainSession(scene.key.key)).refresh()
  const unknown = await call('GET', '/v1/models', { token: 'x' })
  const told = await unknown.text()
  const { key } = scene.key
  const session = headers['daisi-session'] ?? ''
  const answers = await Promise.all([
    call('GET', '/v1/models', { token: key }),
    call('GET', '/v1/models', { token: key, headers }),
    call('GET', '/v1/models', { token: key, headers: { 'daisi-network': 'public' } }),
    call('GET', `/v1/sessions/${session}`, { token: key }),
    call('GET', '/v1/usage', { token: key }),
  ])
  for (const answer of answers) expect([answer.status, await answer.text()]).toEqual([401, told])
  await change(scene, { ttl_seconds: null })
  await served(scene)
})

test('[B1] a Session that is opened ends with its key at the latest', async () => {
  const account = await newAccount('a')
  const key = await newKey(account, { ttl_seconds: 60 })
  const opened = await call('POST', '/v1/sessions', { token: key.key, body: { ttl_seconds: 86_400 } })
  expect((await opened.json<{ expires_at: number }>()).expires_at).toBe(key.expires_at)
})

test('[B2] a change that comes while Sessions read their key is read as well', async () => {
  const scene = await newScene()
  const network = await newNetwork(scene.consumer)
  await change(scene, { networks: ['public', network] })
  // First calls, which all read, and a change among them.
  const calls = [{}, { 'daisi-network': 'public' }, { 'daisi-network': network }].flatMap((headers) =>
    [1, 2, 3].map(() => call('GET', '/v1/models', { token: scene.key.key, headers })),
  )
  await Promise.all([...calls.slice(0, 5), change(scene, { models: ['another'] }), ...calls.slice(5)])
  for (const headers of [{}, { 'daisi-network': 'public' }, { 'daisi-network': network }])
    expect(await refused(scene, headers)).toBe('model_not_allowed')
})

test('[B2] what a Worker that died did not tell is found out', async () => {
  const scene = await newScene()
  const headers = await openSession(scene)
  await served(scene, headers)
  await served(scene)
  await env.DB.prepare('UPDATE secret_keys SET revoked_at = 1 WHERE id = ?').bind(scene.key.id).run()
  const session = await plainSession(scene.key.key)
  // As if the last look at the key were long ago.
  await runInDurableObject(session, (_, state) =>
    state.storage.sql.exec(`UPDATE facts SET value = '1' WHERE name = 'noted_at'`),
  )
  await evictDurableObject(session)
  await settle(scene.key.key)
  await expect
    .poll(() => call('GET', '/v1/models', { token: scene.key.key }).then(({ status }) => status))
    .toBe(401)
  expect(await refused(scene, headers)).toBe('invalid_api_key')
})

test('[N4] a key whose Networks take callers of some addresses only is refused from elsewhere', async () => {
  const scene = await newScene()
  const network = await newNetwork(scene.consumer, { cidrs: ['10.0.0.0/8'] })
  await change(scene, { networks: [network] })
  const at = (address: string): Promise<Response> =>
    call('GET', '/v1/models', { token: scene.key.key, headers: { 'cf-connecting-ip': address } })
  const outside = await at('192.0.2.1')
  expect([outside.status, await errorCode(outside)]).toEqual([403, 'network_not_allowed'])
  expect((await at('10.1.2.3')).status).toBe(200)
  const path = `/api/networks/${network}`
  await call('PATCH', path, { token: scene.consumer.token, body: { cidrs: ['192.0.2.0/24'] } })
  expect([(await at('192.0.2.1')).status, (await at('10.1.2.3')).status]).toEqual([200, 403])
  await call('DELETE', path, { token: scene.consumer.token })
  expect((await at('192.0.2.1')).status).toBe(403)
})

test('a key that is long over leaves nothing behind, and can be brought back', async () => {
  const scene = await newScene()
  await change(scene, { ttl_seconds: 3_600 })
  await served(scene)
  await settle(scene.key.key)
  const session = await plainSession(scene.key.key)
  const long = Date.now() - 2 * 24 * 60 * 60 * 1000
  await env.DB.prepare('UPDATE secret_keys SET expires_at = ? WHERE id = ?').bind(long, scene.key.id).run()
  await session.refresh()
  expect(await refused(scene)).toBe('invalid_api_key')
  // What it remembers of paid Jobs expires first.
  await runInDurableObject(session, (_, state) =>
    state.storage.sql.exec('UPDATE settled_jobs SET expires_at = 1'),
  )
  await runDurableObjectAlarm(session)
  const tables = (): Promise<unknown[]> =>
    runInDurableObject(session, (_, state) =>
      state.storage.sql.exec(`SELECT name FROM sqlite_master WHERE name = 'facts'`).toArray(),
    )
  expect(await tables()).toEqual([])
  expect(await refused(scene)).toBe('invalid_api_key')
  expect(await tables()).toEqual([])
  await change(scene, { ttl_seconds: null })
  await served(scene)
  const path = `/api/keys/${scene.key.id}`
  expect((await call('DELETE', path, { token: scene.consumer.token })).status).toBe(204)
  expect(await refused(scene)).toBe('invalid_api_key')
})

/** Begins a Job that has to wait for a refill of an empty lease, and does something meanwhile. */
async function beginDuring(scene: Scene, meanwhile: () => Promise<unknown>): Promise<string> {
  const session = await plainSession(scene.key.key)
  const caller = callerWith(await hashCredential(scene.key.key))
  expect(await session.authorize(caller, 'inference')).toMatchObject({ ok: true })
  const terms = { promptTokens: 10, maxTokens: 10, ownOnly: false, idempotency: undefined }
  const begun = session.begin({ caller, jobId: 'job_meanwhile', model: scene.model, ...terms })
  await meanwhile()
  const answer = await begun
  const held = await runInDurableObject(session, (_, state) =>
    state.storage.sql.exec<{ held: number }>('SELECT held FROM lease').one(),
  )
  expect(held).toEqual({ held: answer.ok ? 20 : 0 })
  return answer.ok ? 'begun' : answer.code
}

test('[B2] a Job that waits for credits while its key is revoked or changed does not begin', async () => {
  const revoked = await newScene()
  const session = await plainSession(revoked.key.key)
  expect(await beginDuring(revoked, () => session.revoke())).toBe('invalid_api_key')
  const changed = await newScene()
  const statement = env.DB.prepare(`UPDATE secret_keys SET models = '["another"]' WHERE id = ?`)
  const other = await plainSession(changed.key.key)
  const change = (): Promise<unknown> => Promise.all([statement.bind(changed.key.id).run(), other.refresh()])
  const code = await beginDuring(changed, change)
  // The change is made when the refresh returns; the Job began before it or not at all.
  expect(['model_not_allowed', 'begun']).toContain(code)
  expect(await refused(changed)).toBe('model_not_allowed')
  expect(await beginDuring(await newScene(), async () => undefined)).toBe('begun')
})

test('[B2, D9] tokens of Direct Connections end when their key changes: a Host asks nobody what they are still good for', async () => {
  const scene = await newDirectScene()
  const { grant } = await openedDirect(scene)
  const options = { token: scene.consumer.token, body: { models: ['another'] } }
  expect((await call('PATCH', `/api/keys/${scene.key.id}`, options)).status).toBe(200)
  expect(await scene.host.receive('direct-revoked')).toMatchObject({ tokenIds: [decodeJwt(grant.token).jti] })
  const refused = await openDirect(scene)
  expect([refused.status, await errorCode(refused)]).toEqual([403, 'model_not_allowed'])
})
