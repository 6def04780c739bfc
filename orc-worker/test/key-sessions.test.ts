import { evictDurableObject, listDurableObjectIds, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import type { KeyCreated, Session, Usage } from '@daisi/protocol'
import { expect, test } from 'vitest'
import { hashCredential } from '../src/domain/credential.ts'
import type { ConsumerSession } from '../src/objects/session/object.ts'
import {
  openedSessionName,
  plainSessionName,
  plainSessionNames,
  sessionStub,
  tokenSessionName,
} from '../src/objects/stubs.ts'
import { newNetwork } from './support/networks.ts'
import { call, newAccount, newKey } from './support/orc.ts'
import { chat, errorCode, newScene } from './support/scene.ts'
import { tablesOf } from './support/tables.ts'

// What the Sessions of a key cost this Orc is bounded, whoever has the key.

/** Sessions and browser tokens that a key can have open. */
const MOST = 1_000

async function plainSession({ key }: KeyCreated): Promise<DurableObjectStub<ConsumerSession>> {
  return sessionStub(env, plainSessionName(await hashCredential(key)))
}

async function openSession({ key }: KeyCreated, body: unknown = {}): Promise<string> {
  const response = await call('POST', '/v1/sessions', { token: key, body })
  if (response.status !== 201) throw new Error(await response.text())
  return (await response.json<Session>()).id
}

/** As if the key had opened so many already, which all end at that time. */
async function fill(key: KeyCreated, count: number, end: number): Promise<void> {
  await runInDurableObject(await plainSession(key), (_, { storage }) =>
    storage.sql.exec(
      `WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ?)
       INSERT INTO opened_sessions (name, expires_at) SELECT 'opened:made-up-' || n, ? FROM number`,
      count,
      end,
    ),
  )
}

async function openedBy(key: KeyCreated): Promise<string[]> {
  return runInDurableObject(await plainSession(key), (_, { storage }) =>
    storage.sql
      .exec<{ name: string }>('SELECT name FROM opened_sessions')
      .toArray()
      .map(({ name }) => name),
  )
}

async function status(key: KeyCreated, headers: Record<string, string> = {}): Promise<number> {
  const response = await call('GET', '/v1/usage', { token: key.key, headers })
  await response.body?.cancel()
  return response.status
}

async function revoke(token: string, { id }: KeyCreated): Promise<void> {
  const response = await call('DELETE', `/api/keys/${id}`, { token })
  if (response.status !== 204) throw new Error(await response.text())
}

test('[A4] naming Networks makes no Sessions: a key has one, whatever its callers name', async () => {
  const account = await newAccount('account')
  const key = await newKey(account)
  expect(await status(key)).toBe(200)
  const before = (await listDurableObjectIds(env.SESSIONS)).length
  for (let index = 0; index < 20; index++)
    expect(await status(key, { 'daisi-network': `made-up-${index}` })).toBe(403)
  expect(await status(key, { 'daisi-network': 'public' })).toBe(200)
  expect(await listDurableObjectIds(env.SESSIONS)).toHaveLength(before)
})

test('[A4] [S3] usage is that of the key, whatever Network is named; another than its own is refused', async () => {
  const scene = await newScene()
  const network = await newNetwork(scene.consumer)
  const key = await newKey(scene.consumer, { networks: ['public', network] })
  for (const headers of [{ 'daisi-network': 'public' }, {}]) {
    const answer = chat({ key, model: scene.model }, {}, { headers })
    await scene.host.serve(['ok'])
    expect((await answer).status).toBe(200)
  }
  const usage = async (headers: Record<string, string>): Promise<Usage> =>
    (await call('GET', '/v1/usage', { token: key.key, headers })).json<Usage>()
  for (const name of [undefined, 'public', network])
    expect(await usage(name === undefined ? {} : { 'daisi-network': name })).toMatchObject({
      network: name ?? null,
      totals: { jobs: 2, credits: 22 },
    })
  expect(await status(key, { 'daisi-network': await newNetwork(scene.consumer) })).toBe(403)
})

test('[K1] one key and one Idempotency-Key are charged once, whatever Networks the two requests name', async () => {
  const scene = await newScene()
  const headers = { 'idempotency-key': 'once' }
  const answer = chat(scene, {}, { headers })
  await scene.host.serve(['ok'])
  expect((await answer).status).toBe(200)
  const again = await chat(scene, {}, { headers: { ...headers, 'daisi-network': 'public' } })
  expect([again.status, await errorCode(again)]).toEqual([409, 'request_already_processed'])
})

test('[A1] a key that was revoked before it was used leaves nothing behind, and neither does one without a Network', async () => {
  const account = await newAccount('account')
  const [revoked, removed] = [await newKey(account), await newKey(account)]
  await revoke(account.token, revoked)
  const network = await newNetwork(account)
  const elsewhere = await newKey(account, { networks: [network] })
  await call('DELETE', `/api/networks/${network}`, { token: account.token })
  await env.DB.prepare('DELETE FROM secret_keys WHERE id = ?').bind(removed.id).run()
  expect([await status(revoked), await status(removed), await status(elsewhere)]).toEqual([401, 401, 403])
  for (const { key } of [revoked, removed, elsewhere])
    for (const name of plainSessionNames(await hashCredential(key)))
      expect(await tablesOf(sessionStub(env, name))).toEqual([])
})

test('[S4] a key has so many Sessions and tokens open, and for the next waits until one ends or is closed', async () => {
  const key = await newKey(await newAccount('account'))
  const session = await openSession(key)
  await fill(key, MOST - 1, Date.now() + 30_000)
  for (const [path, body] of [
    ['/v1/sessions', {}],
    ['/v1/tokens', { origins: null }],
  ] as const) {
    const refused = await call('POST', path, { token: key.key, body })
    expect([refused.status, await errorCode(refused)]).toEqual([429, 'rate_limited'])
    const seconds = Number(refused.headers.get('retry-after'))
    expect(seconds).toBeGreaterThan(0)
    expect(seconds).toBeLessThanOrEqual(30)
  }
  expect((await call('DELETE', `/v1/sessions/${session}`, { token: key.key })).status).toBe(200)
  expect(await openedBy(key)).toHaveLength(MOST - 1)
  await openSession(key)
  expect((await call('POST', '/v1/sessions', { token: key.key, body: {} })).status).toBe(429)
  // As if they had ended.
  await runInDurableObject(await plainSession(key), (_, { storage }) =>
    storage.sql.exec(`UPDATE opened_sessions SET expires_at = 1 WHERE name GLOB 'opened:made-up-*'`),
  )
  await openSession(key)
  expect(await openedBy(key)).toHaveLength(2)
})

test('[S4] a token that is refused takes no room', async () => {
  const account = await newAccount('account')
  const key = await newKey(account, { scopes: ['sessions', 'inference'], models: ['a'] })
  const network = await newNetwork(account)
  for (const body of [{ scopes: ['usage'] }, { models: ['b'] }, { networks: [network] }]) {
    const refused = await call('POST', '/v1/tokens', { token: key.key, body: { origins: null, ...body } })
    expect(refused.status).toBe(403)
  }
  expect(await openedBy(key)).toEqual([])
})

test('[B2] a revocation reaches every Session and token of a key, however many turns it takes, and those of the first version', async () => {
  const account = await newAccount('account')
  const key = await newKey(account)
  const session = await openSession(key)
  const minted = await call('POST', '/v1/tokens', { token: key.key, body: { origins: null } })
  const { token } = await minted.json<{ token: string }>()
  await fill(key, 200, Date.now() + 60_000)
  const hash = await hashCredential(key.key)
  // As the first version left it: opened by the Session that was named after the one Network.
  const former = sessionStub(env, `plain:${hash}:public`)
  const authorized = await (
    await plainSession(key)
  ).authorize({
    keyHash: hash,
    network: undefined,
    origin: undefined,
    address: undefined,
  })
  if (!authorized.ok) throw new Error(authorized.code)
  const name = openedSessionName('ses_former')
  expect(await sessionStub(env, name).open({ ...authorized.record, expiresAt: Date.now() + 60_000 })).toBe(
    true,
  )
  expect(await former.open(authorized.record)).toBe(true)
  await runInDurableObject(former, (_, { storage }) =>
    storage.sql.exec('INSERT INTO opened_sessions VALUES (?, ?)', name, Date.now() + 60_000),
  )
  await revoke(account.token, key)
  const revoked = ['opened:made-up-1', 'opened:made-up-200', openedSessionName(session), name]
  for (const each of [...revoked, tokenSessionName(await hashCredential(token))]) {
    const facts = await runInDurableObject(sessionStub(env, each), (_, { storage }) =>
      storage.sql.exec(`SELECT value FROM facts WHERE name = 'revoked'`).toArray(),
    )
    expect(facts).toEqual([{ value: 'true' }])
  }
})

test('[B2] a Session that is over is told of nothing, and opens to no key that was revoked since', async () => {
  const account = await newAccount('account')
  const [key, good] = [await newKey(account), await newKey(account)]
  for (const each of [key, good]) {
    const session = await openSession(each)
    await call('DELETE', `/v1/sessions/${session}`, { token: each.key })
    expect(await openedBy(each)).toEqual([])
    if (each === key) await revoke(account.token, key)
    await evictDurableObject(sessionStub(env, openedSessionName(session)))
    const seen = await call('GET', `/v1/sessions/${session}`, { token: each.key })
    expect(seen.status).toBe(each === key ? 401 : 200)
  }
})
