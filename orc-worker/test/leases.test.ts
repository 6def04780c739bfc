import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import type { AccountCreated, ReconciliationReport } from '@daisi/protocol'
import { expect, test } from 'vitest'
import { database } from '../src/db/client.ts'
import { openLease, postTransfers } from '../src/db/ledger.ts'
import { hashCredential } from '../src/domain/credential.ts'
import { adjustment, refill } from '../src/domain/money/transfer.ts'
import type { ConsumerSession } from '../src/objects/session/object.ts'
import { plainSessionName, sessionStub } from '../src/objects/stubs.ts'
import { balanced, total } from './support/books.ts'
import { balanceOf, call, newAccount, newEnrolment, newKey, operatorAccount, settle } from './support/orc.ts'
import { type Scene, chat, errorCode, newScene } from './support/scene.ts'
import { newHost } from './support/test-host.ts'

async function sessionOf({ key }: Scene): Promise<DurableObjectStub<ConsumerSession>> {
  return sessionStub(env, plainSessionName(await hashCredential(key.key)))
}

async function served(scene: Scene, texts = ['ok']): Promise<void> {
  const answer = chat(scene)
  await scene.host.serve(texts)
  expect((await answer).status).toBe(200)
}

/** D1 without the book, until the work is done. */
async function withoutBook(work: () => Promise<void>): Promise<void> {
  await env.DB.prepare('ALTER TABLE transfers RENAME TO away').run()
  try {
    await work()
  } finally {
    await env.DB.prepare('ALTER TABLE away RENAME TO transfers').run()
  }
}

async function reconcile(): Promise<ReconciliationReport> {
  const { token } = await operatorAccount()
  return (await call('POST', '/api/reconciliation', { token })).json()
}

async function openedSession(scene: Scene, budget: number): Promise<Record<string, string>> {
  const created = await call('POST', '/v1/sessions', { token: scene.key.key, body: { budget } })
  return { 'daisi-session': (await created.json<{ id: string }>()).id }
}

async function empty(account: AccountCreated): Promise<void> {
  const all = adjustment(account.id, account.id, -(await balanceOf(account)).available, 'spent elsewhere')
  expect(await postTransfers(database(env), [all], 1)).toBe('posted')
}

test('[L1] with an open lease a request needs no book, and settlement waits until there is one', async () => {
  const scene = await newScene()
  await served(scene)
  const session = await sessionOf(scene)
  await withoutBook(async () => {
    await served(scene)
    await served(scene)
    await runDurableObjectAlarm(session)
    expect((await call('GET', '/v1/usage', { token: scene.key.key })).status).toBe(503)
    await evictDurableObject(session)
    expect(await total(scene.owner)).toBe(10_000)
  })
  // The object that finished the Jobs is gone; what they owe is not.
  expect(await runDurableObjectAlarm(session)).toBe(true)
  expect(await total(scene.owner)).toBe(10_000 + 3 * 11)
  await balanced()
})

test('[L2] a hold that nobody speaks for is given back, and a renewed one is not', async () => {
  const scene = await newScene()
  const answers = [chat(scene), chat(scene)]
  const runs = [await scene.host.receive('run'), await scene.host.receive('run')]
  const session = await sessionOf(scene)
  await runInDurableObject(session, (_, state) => state.storage.sql.exec('UPDATE jobs SET expires_at = 1'))
  await session.renew([runs[1]!.jobId])
  await runDurableObjectAlarm(session)
  const held = (): Promise<unknown[]> =>
    runInDurableObject(session, (_, state) => state.storage.sql.exec('SELECT id FROM jobs').toArray())
  expect(await held()).toEqual([{ id: runs[1]!.jobId }])
  const usage = { promptTokens: 10, cachedTokens: 0, generatedTokens: 1 }
  for (const run of runs) {
    scene.host.accept(run)
    scene.host.sendFrame(run.jobId, 0, 'x')
    await scene.host.end(run, usage)
  }
  await Promise.all(answers)
  await settle(scene.key.key)
  expect(await total(scene.owner)).toBe(10_011)
  await balanced()
})

async function drifts(): Promise<number> {
  const { results } = await env.DB.prepare(`SELECT subject FROM anomalies WHERE kind = 'lease_drift'`).all()
  return results.length
}

test('[L3] the book asks the Session about a lease, and one that lost its memory gives all of it back', async () => {
  const scene = await newScene()
  await served(scene)
  const session = await sessionOf(scene)
  await settle(scene.key.key)
  expect((await balanceOf(scene.consumer)).held).toBeGreaterThan(0)
  const before = await drifts()
  await runInDurableObject(session, (_, state) => state.storage.deleteAll())
  await evictDurableObject(session)
  expect(await reconcile()).toMatchObject({ drifted: 1, failed: 0 })
  expect(await reconcile()).toMatchObject({ drifted: 0, failed: 0 })
  expect(await balanceOf(scene.consumer)).toMatchObject({ available: 10_000 - 11, held: 0 })
  expect(await drifts()).toBe(before + 1)
  await balanced()
})

test('[L3] a lease that is in use stays', async () => {
  const scene = await newScene()
  const answer = chat(scene)
  const run = await scene.host.receive('run')
  const { held } = await balanceOf(scene.consumer)
  expect((await reconcile()).in_use).toBeGreaterThan(0)
  expect((await balanceOf(scene.consumer)).held).toBe(held)
  scene.host.accept(run)
  scene.host.sendFrame(run.jobId, 0, 'x')
  await scene.host.end(run, { promptTokens: 10, cachedTokens: 0, generatedTokens: 1 })
  expect((await answer).status).toBe(200)
})

test('a lease is refilled before it runs dry', async () => {
  const scene = await newScene()
  const refills = async (): Promise<number> => {
    const statement = env.DB.prepare(
      `SELECT count(*) AS n FROM transfers WHERE debit = ? AND reason = 'lease'`,
    )
    return (await statement.bind(scene.consumer.id).first<number>('n')) ?? 0
  }
  await served(scene)
  expect(await refills()).toBe(1)
  // The first refill brought about 2,500: this leaves less than a quarter of it, and still enough for the Job itself.
  const answer = chat(scene, { max_tokens: 2_000 })
  const run = await scene.host.receive('run')
  await expect.poll(refills).toBe(2)
  scene.host.accept(run)
  scene.host.sendFrame(run.jobId, 0, 'x')
  await scene.host.end(run, { promptTokens: 10, cachedTokens: 0, generatedTokens: 1 })
  expect((await answer).status).toBe(200)
  await balanced()
})

test('[P3] who has no credits may use their own Hosts, and nobody else’s', async () => {
  const account = await newAccount('both')
  const key = await newKey(account)
  await empty(account)
  const stranger = await newScene()
  const refused = await chat({ key, model: stranger.model })
  expect([refused.status, await errorCode(refused)]).toEqual([402, 'insufficient_credits'])
  const host = await newHost((await newEnrolment(account)).token, { model: stranger.model })
  const answer = chat({ key, model: stranger.model })
  await host.serve(['a', 'b'])
  expect((await answer).status).toBe(200)
  await settle(key.key)
  expect(await total(account)).toBe(0)
  expect(await total(stranger.owner)).toBe(10_000)
  await balanced()
})

test('[P4] the hold is an estimate: half the bytes, the usual template, and max_tokens', async () => {
  const scene = await newScene()
  const headers = await openedSession(scene, 61)
  const answer = chat(scene, { max_tokens: 20 }, { headers })
  await scene.host.serve(['ok'])
  expect((await answer).status).toBe(200)
  const second = await chat(scene, { max_tokens: 20 }, { headers })
  expect(await errorCode(second)).toBe('insufficient_credits')
})

test('[P4, T4] a Host that counts more prompt tokens is asked again with credits for all of them', async () => {
  const scene = await newScene()
  const answer = chat(scene)
  const first = await scene.host.receive('run')
  scene.host.send({
    type: 'refused',
    jobId: first.jobId,
    code: 'token_budget',
    message: 'm',
    promptTokens: 70,
  })
  await scene.host.serve(['ok'], 70)
  expect((await answer).status).toBe(200)
  await settle(scene.key.key)
  expect(await total(scene.owner)).toBe(10_000 + 71)
})

test('[P4, T4] a Host cannot make the Orc hold for more than the bytes allow, nor ask forever', async () => {
  const scene = await newScene()
  const headers = await openedSession(scene, 102)
  const answer = chat(scene, {}, { headers })
  for (const promptTokens of [1_000_000, 2_000_000]) {
    const { jobId } = await scene.host.receive('run')
    scene.host.send({ type: 'refused', jobId, code: 'token_budget', message: 'm', promptTokens })
  }
  expect(await errorCode(await answer)).toBe('all_hosts_busy')
})

test('[P4] a Host that counts more than there are credits for is passed over for one that does not', async () => {
  const scene = await newScene()
  const other = await newHost((await newEnrolment(scene.owner)).token, { model: scene.model, slots: 1 })
  const headers = await openedSession(scene, 61)
  const answer = chat(scene, {}, { headers })
  const { jobId } = await scene.host.receive('run')
  scene.host.send({ type: 'refused', jobId, code: 'token_budget', message: 'm', promptTokens: 80 })
  await other.serve(['ok'])
  expect((await answer).status).toBe(200)
})

test('[P4] where the credits do not cover the counted prompt, the answer is 402', async () => {
  const scene = await newScene()
  const headers = await openedSession(scene, 65)
  const answer = chat(scene, {}, { headers })
  const { jobId } = await scene.host.receive('run')
  scene.host.send({ type: 'refused', jobId, code: 'token_budget', message: 'm', promptTokens: 46 })
  expect(await errorCode(await answer)).toBe('insufficient_credits')
})

test('a Session of the first version keeps its lease, its debts and its keys, and ends the write that it had begun', async () => {
  const { consumer, owner } = await newScene()
  const other = await newAccount('other owner')
  const record = {
    sessionId: 'ses_old',
    accountId: consumer.id,
    keyId: 'key_old',
    network: 'public',
    status: 'open',
  }
  const lease = { leaseId: 'lease:ses_old', accountId: consumer.id }
  const name = plainSessionName('old')
  const session = sessionStub(env, name)
  await openLease(database(env), lease, name, 'key_old')
  expect(await postTransfers(database(env), [refill('ses_old:1', lease, 150)], 1)).toBe('posted')
  await runInDurableObject(session, async (_, { storage }) => {
    await storage.deleteAll()
    // As the first version left it: a running Job, two that are owed, one of them under a key, and one in a settlement.
    storage.sql.exec(`
      CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
      CREATE TABLE lease (id INTEGER PRIMARY KEY, amount INTEGER, held INTEGER, owed INTEGER, writes INTEGER, jobs INTEGER,
        prompt_tokens INTEGER, cached_tokens INTEGER, generated_tokens INTEGER, credits INTEGER);
      INSERT INTO lease VALUES (1, 150, 30, 70, 3, 2, 40, 0, 10, 50);
      CREATE TABLE jobs (id TEXT PRIMARY KEY, state TEXT, hold INTEGER, idempotency_key TEXT UNIQUE, digest TEXT,
        expires_at INTEGER, payee TEXT, credits INTEGER, generated_tokens INTEGER, settling INTEGER);
      INSERT INTO jobs VALUES ('job_open', 'open', 30, NULL, NULL, ${Date.now() + 60_000}, NULL, 0, 0, 0);
      INSERT INTO jobs VALUES ('job_owed', 'finished', 40, 'k', 'd', ${Date.now() + 60_000}, '${owner.id}', 20, 7, 0);
      INSERT INTO jobs VALUES ('job_owed_2', 'finished', 40, NULL, NULL, ${Date.now()}, '${other.id}', 20, 7, 0);
      INSERT INTO jobs VALUES ('job_settling', 'finished', 40, NULL, NULL, 1, '${owner.id}', 30, 3, 1);`)
    const transfer = {
      id: `settle:ses_old:3:${owner.id}`,
      debit: 'lease:ses_old',
      credit: owner.id,
      amount: 30,
      reason: 'settle',
    }
    const pending = { kind: 'settle', transfers: [transfer], amount: 30 }
    for (const [fact, value] of Object.entries({ record, pending }))
      storage.sql.exec('INSERT INTO facts VALUES (?, ?)', fact, JSON.stringify(value))
  })
  await evictDurableObject(session)
  expect(await session.reconcile(lease)).toEqual({ outcome: 'in_use' })
  expect(await total(owner)).toBe(10_000 + 30 + 20)
  expect(await total(other)).toBe(10_000 + 20)
  expect(await balanceOf(consumer)).toMatchObject({ spent: 70, held: 30 })
  const keys = await runInDurableObject(session, (_, { storage }) =>
    storage.sql.exec('SELECT idempotency_key AS key FROM answered').toArray(),
  )
  expect(keys).toEqual([{ key: 'k' }])
  await balanced()
})

// Last: it leaves a book that was tampered with.
test('[L3] where the book has less than Jobs count on, its word is taken and the debt is shown to the operator', async () => {
  const scene = await newScene()
  await served(scene)
  const answer = chat(scene)
  const run = await scene.host.receive('run')
  const session = await sessionOf(scene)
  // As after a restore of the database from an earlier time.
  await env.DB.prepare(`UPDATE ledger_accounts SET balance = 5 WHERE owner_id = ?`)
    .bind(scene.consumer.id)
    .run()
  expect(await call('GET', '/v1/usage', { token: scene.key.key })).toMatchObject({ status: 503 })
  expect(await reconcile()).toMatchObject({ drifted: 1 })
  const detail = await env.DB.prepare(
    `SELECT detail FROM anomaly_evidence ORDER BY rowid DESC`,
  ).first<string>('detail')
  expect(JSON.parse(detail!)).toMatchObject({
    book: 5,
    unpaid: [{ payee: scene.owner.id, credits: 11 }],
    unheld: 61,
  })
  scene.host.accept(run)
  scene.host.sendFrame(run.jobId, 0, 'x')
  await scene.host.end(run, { promptTokens: 10, cachedTokens: 0, generatedTokens: 1 })
  expect((await answer).status).toBe(200)
  await settle(scene.key.key)
  expect(await total(scene.owner)).toBe(10_000)
  // The Session works on.
  await served(scene)
  await settle(scene.key.key)
  expect(await total(scene.owner)).toBe(10_011)
  expect(
    await runInDurableObject(session, (_, { storage }) => storage.sql.exec('SELECT id FROM jobs').toArray()),
  ).toEqual([])
})
