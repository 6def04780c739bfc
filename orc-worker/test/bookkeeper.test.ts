import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { database } from '../src/db/client.ts'
import { leasesOf, postTransfers } from '../src/db/ledger.ts'
import { hashCredential } from '../src/domain/credential.ts'
import { refill } from '../src/domain/money/transfer.ts'
import { bookkeeperStub, plainSessionName, sessionStub } from '../src/objects/stubs.ts'
import { fresh, recordsOf } from './support/anomalies.ts'
import { balanced } from './support/books.ts'
import { balanceOf, call, operatorAccount, settle } from './support/orc.ts'
import { type Scene, chat, errorCode, newScene } from './support/scene.ts'

const HOUR_MS = 3_600_000

async function served(scene: Scene): Promise<void> {
  const answer = chat(scene)
  await scene.host.serve(['ok'])
  expect((await answer).status).toBe(200)
}

/** Runs the next round as if everything had been still for long. */
async function round(): Promise<void> {
  await env.DB.prepare(`UPDATE ledger_accounts SET moved_at = 1 WHERE kind = 'lease'`).run()
  expect(await runDurableObjectAlarm(bookkeeperStub(env))).toBe(true)
}

test('[L3] a lease whose Session is gone comes back without anybody asking', async () => {
  const scene = await newScene()
  await served(scene)
  await settle(scene.key.key)
  const session = sessionStub(env, plainSessionName(await hashCredential(scene.key.key)))
  await runInDurableObject(session, (_, { storage }) => storage.deleteAll())
  await evictDurableObject(session)
  // The first round finds the disagreement and notes it, the second gives back.
  await round()
  await round()
  expect(await balanceOf(scene.consumer)).toMatchObject({ available: 10_000 - 11, held: 0 })
  await balanced()
})

test('[M5] work is looked through once an hour, also after the last lease was closed', async () => {
  const scene = await newScene()
  await served(scene)
  const [model, cheat] = [fresh('model'), fresh('host')]
  const hour = Date.now() - (Date.now() % HOUR_MS)
  for (const [hostId, tokens] of [
    [fresh('host'), 1_000],
    [fresh('host'), 1_000],
    [cheat, 3_000],
  ] as const) {
    await env.DB.prepare("INSERT INTO work_hourly VALUES (?, ?, ?, 'public', ?, 20, 0, 0, ?, 0, 4000, 0)")
      .bind(hostId, hour, model, `owner of ${hostId}`, tokens)
      .run()
  }
  await round()
  expect(await recordsOf(cheat)).toEqual([])
  const bookkeeper = bookkeeperStub(env)
  await runInDurableObject(bookkeeper, (_, { storage }) => storage.put('scan-due', 1))
  await round()
  expect(await recordsOf(cheat)).toMatchObject([{ kind: 'inflated_counts', status: 'open' }])
  await runInDurableObject(bookkeeper, (_, { storage }) => storage.put('scan-due', 1))
  await round()
  expect(await recordsOf(cheat)).toHaveLength(1)
})

test('while D1 does not answer, the round is tried again', async () => {
  const scene = await newScene()
  await served(scene)
  await env.DB.prepare('ALTER TABLE work_hourly RENAME TO away').run()
  await runInDurableObject(bookkeeperStub(env), (_, { storage }) => storage.put('scan-due', 1))
  await round()
  await env.DB.prepare('ALTER TABLE away RENAME TO work_hourly').run()
  expect(await runDurableObjectAlarm(bookkeeperStub(env))).toBe(true)
})

test('[M4] a freeze reaches what Sessions have reserved already', async () => {
  const scene = await newScene()
  await served(scene)
  await settle(scene.key.key)
  expect((await balanceOf(scene.consumer)).held).toBeGreaterThan(0)
  const { token } = await operatorAccount()
  const body = { note: 'under review' }
  expect((await call('POST', `/api/accounts/${scene.consumer.id}/freezes`, { token, body })).status).toBe(201)
  const refused = await chat(scene)
  expect([refused.status, await errorCode(refused)]).toEqual([402, 'insufficient_credits'])
  expect(await balanceOf(scene.consumer)).toMatchObject({ available: 0, held: 0, frozen: 10_000 - 11 })
})

test('[M4] what a running Job held when the account was frozen is not spent again', async () => {
  const scene = await newScene()
  const answer = chat(scene, { max_tokens: 9_900 })
  const run = await scene.host.receive('run')
  const { token } = await operatorAccount()
  const path = `/api/accounts/${scene.consumer.id}/freezes`
  expect((await call('POST', path, { token, body: { note: 'why' } })).status).toBe(201)
  scene.host.accept(run)
  scene.host.sendFrame(run.jobId, 0, 'x')
  await scene.host.end(run, { promptTokens: 10, cachedTokens: 0, generatedTokens: 1 })
  expect((await answer).status).toBe(200)
  expect(await errorCode(await chat(scene))).toBe('insufficient_credits')
  await expect.poll(() => balanceOf(scene.consumer)).toMatchObject({ available: 0, held: 0, spent: 11 })
  // Released, the Session works as before.
  expect((await call('POST', path, { token, body: { amount: 0, note: 'fine' } })).status).toBe(201)
  await served(scene)
  await balanced()
})

test('[M4] requests that wait while a frozen account gets its credits back cannot take them', async () => {
  const scene = await newScene()
  const answer = chat(scene, { max_tokens: 9_000 })
  const run = await scene.host.receive('run')
  const { token } = await operatorAccount()
  const path = `/api/accounts/${scene.consumer.id}/freezes`
  expect((await call('POST', path, { token, body: { note: 'why' } })).status).toBe(201)
  scene.host.accept(run)
  scene.host.sendFrame(run.jobId, 0, 'x')
  const waiting = Array.from({ length: 10 }, () => chat(scene))
  await scene.host.end(run, { promptTokens: 10, cachedTokens: 0, generatedTokens: 1 })
  expect((await answer).status).toBe(200)
  const statuses = await Promise.all(waiting.map(async (response) => (await response).status))
  expect(new Set(statuses)).toEqual(new Set([402]))
  await expect.poll(() => balanceOf(scene.consumer)).toMatchObject({ available: 0, held: 0, spent: 11 })
  await balanced()
})

test('[L3] a round asks each Session once, however busy they are meanwhile', async () => {
  const scenes = [await newScene(), await newScene(), await newScene()]
  for (const scene of scenes) await served(scene)
  const { token } = await operatorAccount()
  const { results } = await env.DB.prepare(
    `SELECT id FROM ledger_accounts WHERE kind = 'lease' AND balance > 0`,
  ).all()
  const report = await call('POST', '/api/reconciliation', { token })
  // Each settles when it is asked, and is moved by that.
  expect(await report.json()).toMatchObject({ asked: results.length, failed: 0 })
})

test('[M4] a refill whose answer was lost when the account was frozen goes back as well', async () => {
  const scene = await newScene()
  await served(scene)
  const name = plainSessionName(await hashCredential(scene.key.key))
  const session = sessionStub(env, name)
  const { leaseId } = (await leasesOf(database(env), { accountId: scene.consumer.id }))[0]!
  const transfer = refill('lost', { leaseId, accountId: scene.consumer.id }, 3_000)
  expect(await postTransfers(database(env), [transfer], 1)).toBe('posted')
  await runInDurableObject(session, (_, { storage }) => {
    storage.sql.exec(`INSERT INTO facts VALUES ('pending', ?)`, JSON.stringify({ kind: 'refill', transfer }))
  })
  const { token } = await operatorAccount()
  const path = `/api/accounts/${scene.consumer.id}/freezes`
  expect((await call('POST', path, { token, body: { note: 'why' } })).status).toBe(201)
  expect(await errorCode(await chat(scene))).toBe('insufficient_credits')
  await settle(scene.key.key)
  expect(await balanceOf(scene.consumer)).toMatchObject({ available: 0, held: 0, spent: 11 })
  await balanced()
})
