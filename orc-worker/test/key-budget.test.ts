import { evictDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import type { AppList, BudgetPeriod, KeyView } from '@daisi/protocol'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { database } from '../src/db/client.ts'
import { readSpendable } from '../src/db/key-budget.ts'
import { openLease, postTransfers } from '../src/db/ledger.ts'
import { periodEnd, periodStart } from '../src/domain/budget-period.ts'
import { hashCredential } from '../src/domain/credential.ts'
import { leaseIdOf, refill, release } from '../src/domain/money/transfer.ts'
import { HOUR_MS } from '../src/domain/time.ts'
import { plainSessionName, sessionStub } from '../src/objects/stubs.ts'
import { balanced, total } from './support/books.ts'
import { newNetwork } from './support/networks.ts'
import { call, newAccount, newEnrolment, newKey, settle } from './support/orc.ts'
import { runStatement } from './support/raw-book.ts'
import { type Scene, chat, errorCode, newScene } from './support/scene.ts'
import { newHost } from './support/test-host.ts'

const db = database(env)
let serial = 0

async function change({ consumer, key }: Scene, body: unknown): Promise<void> {
  const response = await call('PATCH', `/api/keys/${key.id}`, { token: consumer.token, body })
  if (response.status !== 200) throw new Error(await response.text())
}

async function budgetOf({ consumer, key }: Scene): Promise<KeyView['budget']> {
  const response = await call('GET', '/api/apps', { token: consumer.token })
  const { apps } = await response.json<AppList>()
  return apps.flatMap(({ keys }) => keys).find(({ id }) => id === key.id)!.budget
}

/** What the key has used on a day, as settlements count it. */
async function used(accountId: string, keyId: string, day: string, credits: number): Promise<void> {
  await runStatement(
    'INSERT INTO usage_daily VALUES (?, ?, ?, ?, 1, 0, 0, ?, ?)',
    accountId,
    day,
    keyId,
    `model ${++serial}`,
    credits,
    credits,
  )
}

/** A key with a budget, and a lease in the book that counts against it. */
async function keyWithLease(
  budget: number,
  period: BudgetPeriod | null,
): Promise<{ accountId: string; keyId: string; leaseId: string }> {
  const account = await newAccount('a')
  const key = await newKey(account, { budget, budget_period: period })
  const owner = { accountId: account.id, leaseId: leaseIdOf(`ses_budget_${++serial}`) }
  await openLease(db, owner, 'plain:nobody', key.id)
  return { ...owner, keyId: key.id }
}

test('[B5] a request beyond the key’s budget is answered 402 in every Session of it, and the account keeps its credits', async () => {
  const scene = await newScene()
  await change(scene, { budget: 100 })
  const answer = chat(scene)
  await scene.host.serve(['a', 'b'])
  expect((await answer).status).toBe(200)
  const refused = await chat(scene, { max_tokens: 100 })
  expect([refused.status, await errorCode(refused)]).toEqual([402, 'insufficient_credits'])
  const opened = await call('POST', '/v1/sessions', { token: scene.key.key, body: { budget: 1_000 } })
  const headers = { 'daisi-session': (await opened.json<{ id: string }>()).id }
  for (const each of [headers, { 'daisi-network': 'public' }])
    expect(await errorCode(await chat(scene, { max_tokens: 100 }, { headers: each }))).toBe(
      'insufficient_credits',
    )
  await settle(scene.key.key)
  expect(await budgetOf(scene)).toMatchObject({ credits: 100, spent: 12, resets_at: null })
  expect(await total(scene.consumer)).toBe(10_000 - 12)
  await balanced()
})

test('[B5] the answer without max_tokens is as long as the budget allows', async () => {
  const scene = await newScene()
  await change(scene, { budget: 100 })
  const answer = chat(scene, { max_tokens: undefined })
  const run = await scene.host.serve(['ok'])
  expect((await answer).status).toBe(200)
  // Held are 1 + 32 + 8 for the prompt.
  expect(run.payload).toMatchObject({ sampling: { maxTokens: 100 - 41 } })
})

test('[B5] own Hosts stay free, also when the budget is spent', async () => {
  const account = await newAccount('both')
  const key = await newKey(account, { budget: 1 })
  const host = await newHost((await newEnrolment(account)).token, { model: 'own-budget' })
  const answer = chat({ key, model: 'own-budget' })
  await host.serve(['a', 'b'])
  expect((await answer).status).toBe(200)
  await settle(key.key)
  expect(await total(account)).toBe(10_000)
})

test('[B5] a changed budget is in force at once', async () => {
  const scene = await newScene()
  await change(scene, { budget: 10 })
  expect((await chat(scene)).status).toBe(402)
  await change(scene, { budget: 61 })
  const answer = chat(scene)
  const run = await scene.host.receive('run')
  scene.host.accept(run)
  scene.host.sendFrame(run.jobId, 0, 'x')
  await change(scene, { budget: 20 })
  // What the running Job holds stays; it ends as it began.
  expect(await budgetOf(scene)).toMatchObject({ credits: 20, held: 61 })
  expect((await chat(scene)).status).toBe(402)
  await scene.host.end(run, { promptTokens: 10, cachedTokens: 0, generatedTokens: 1 })
  expect((await answer).status).toBe(200)
  await settle(scene.key.key)
  await change(scene, { budget: null })
  const free = chat(scene)
  await scene.host.serve(['ok'])
  expect((await free).status).toBe(200)
  await balanced()
})

test('[B5] what a Session leased beyond a smaller budget goes back', async () => {
  const scene = await newScene()
  const answer = chat(scene)
  await scene.host.serve(['ok'])
  expect((await answer).status).toBe(200)
  await settle(scene.key.key)
  await change(scene, { budget: 5_000 })
  const before = await budgetOf(scene)
  expect(before).toMatchObject({ spent: 11, held: 0 })
  await change(scene, { budget: 11 })
  expect((await chat(scene)).status).toBe(402)
  await balanced()
})

test('[B5] many requests at once through several Sessions never spend more than the budget', async () => {
  const scene = await newScene()
  const network = await newNetwork(scene.consumer)
  await change(scene, { budget: 200, networks: ['public', network] })
  const opened = await call('POST', '/v1/sessions', { token: scene.key.key, body: {} })
  const session = (await opened.json<{ id: string }>()).id
  // A request holds 61: three fit, over all Sessions.
  const places = [{}, { 'daisi-network': 'public' }, { 'daisi-session': session }]
  const answers = [1, 2, 3, 4].flatMap(() => places.map((headers) => chat(scene, {}, { headers })))
  const serving = (async () => {
    // What it costs is what was held for it.
    for (;;)
      await scene.host.serve(
        Array.from({ length: 20 }, () => 'word'),
        41,
      )
  })()
  const done = await Promise.race([
    Promise.all(answers.map(async (answer) => (await answer).status)),
    serving,
  ])
  expect(new Set(done)).toEqual(new Set([200, 402]))
  await settle(scene.key.key)
  for (const headers of places) {
    const usage = await call('GET', '/v1/usage', { token: scene.key.key, headers })
    expect(usage.status).toBe(200)
  }
  const paid = done.filter((status) => status === 200).length
  expect(paid).toBeLessThanOrEqual(3)
  const { spent } = (await budgetOf(scene))!
  expect(spent).toBe(paid * 61)
  expect(await total(scene.consumer)).toBe(10_000 - spent)
  await balanced()
})

test('[B5] of two Sessions that ask for the last credits at once one gets them', async () => {
  const { accountId, keyId, leaseId } = await keyWithLease(100, 'day')
  const other = { accountId, leaseId: leaseIdOf(`ses_budget_${++serial}`) }
  await openLease(db, other, 'plain:nobody', keyId)
  const now = Date.now()
  const outcomes = await Promise.all(
    [{ accountId, leaseId }, other, { accountId, leaseId }, other].map((owner) =>
      postTransfers(db, [refill(crypto.randomUUID(), owner, 60)], now),
    ),
  )
  expect(outcomes.toSorted()).toEqual(['overdraft', 'overdraft', 'overdraft', 'posted'])
  expect(await readSpendable(db, { accountId, keyId }, now)).toMatchObject({
    credits: 40,
    limit: { held: 60 },
  })
  await balanced()
})

test('[B5] a refill whose answer was lost is made again, and counts once', async () => {
  const { accountId, keyId, leaseId } = await keyWithLease(100, null)
  const owner = { accountId, leaseId }
  const all = refill('budget-again', owner, 100)
  expect(await postTransfers(db, [all], 1)).toBe('posted')
  // Nothing is left, and nothing is needed: it stands already.
  expect(await postTransfers(db, [all], 2)).toBe('posted')
  expect(await postTransfers(db, [refill('budget-more', owner, 1)], 2)).toBe('overdraft')
  expect(await postTransfers(db, [release('budget-back', owner, 30)], 3)).toBe('posted')
  expect((await readSpendable(db, { accountId, keyId }, 4)).credits).toBe(30)
  expect(await postTransfers(db, [refill('budget-more', owner, 30)], 5)).toBe('posted')
})

test('[B5] a budget outlives the object of its Session', async () => {
  const scene = await newScene()
  await change(scene, { budget: 72 })
  const answer = chat(scene)
  await scene.host.serve(['ok'])
  expect((await answer).status).toBe(200)
  await settle(scene.key.key)
  await evictDurableObject(sessionStub(env, plainSessionName(await hashCredential(scene.key.key))))
  const second = chat(scene)
  await scene.host.serve(['ok'])
  expect((await second).status).toBe(200)
  expect((await chat(scene)).status).toBe(402)
})

test.for([
  // The 23rd of November 2026 is a Monday.
  ['day', '2026-11-22', '2026-11-23T00:00:00.000Z', '2026-11-22T23:59:59.999Z'],
  ['week', '2026-11-22', '2026-11-23T00:00:00.000Z', '2026-11-22T23:59:59.999Z'],
  ['week', '2026-11-16', '2026-11-23T00:00:00.000Z', '2026-11-16T00:00:00.000Z'],
  ['month', '2026-11-30', '2026-12-01T00:00:00.000Z', '2026-11-30T23:59:59.999Z'],
  ['month', '2028-02-29', '2028-03-01T00:00:00.000Z', '2028-02-29T00:00:00.000Z'],
] as const)(
  '[B5] the budget of a %s: what was used on %s does not count at %s, and does at %s',
  async ([period, day, after, before]) => {
    const { accountId, keyId, leaseId } = await keyWithLease(100, period)
    await used(accountId, keyId, day, 90)
    const [late, early] = [Date.parse(after), Date.parse(before)]
    const owner = { accountId, leaseId }
    const key = { accountId, keyId }
    expect(await readSpendable(db, key, early)).toMatchObject({
      credits: 10,
      limit: { spent: 90, resetsAt: late },
    })
    expect(await postTransfers(db, [refill(`budget-${++serial}`, owner, 11)], early)).toBe('overdraft')
    expect((await readSpendable(db, key, late)).credits).toBe(100)
    // What is leased counts whenever it was leased.
    expect(await postTransfers(db, [refill(`budget-${++serial}`, owner, 10)], early)).toBe('posted')
    expect(await postTransfers(db, [refill(`budget-${++serial}`, owner, 91)], late)).toBe('overdraft')
    expect(await postTransfers(db, [refill(`budget-${++serial}`, owner, 90)], late)).toBe('posted')
  },
)

test('[B5] a budget without a period counts everything that its key ever used, and nothing of other keys', async () => {
  const { accountId, keyId, leaseId } = await keyWithLease(100, null)
  await used(accountId, keyId, '2020-01-01', 30)
  await used(accountId, 'another key', '2026-01-01', 1_000)
  expect((await readSpendable(db, { accountId, keyId }, Date.now())).credits).toBe(70)
  const owner = { accountId, leaseId }
  expect(await postTransfers(db, [refill(`budget-${++serial}`, owner, 71)], Date.now())).toBe('overdraft')
  expect(await postTransfers(db, [refill(`budget-${++serial}`, owner, 70)], Date.now())).toBe('posted')
})

test('the book’s idea of a period is that of the Session', async () => {
  const times = fc.sample(fc.integer({ min: 0, max: Date.UTC(2100, 0) }), 300)
  const edges = (['day', 'week', 'month'] as const).flatMap((period) =>
    times.slice(0, 50).flatMap((time) => {
      const end = periodEnd(period, time) ?? 0
      return [end - 1, end, end + HOUR_MS]
    }),
  )
  const all = [...times, ...edges]
  const { results } = await env.DB.prepare(
    `SELECT value AS time, date(value / 1000, 'unixepoch') AS day,
      date(value / 1000, 'unixepoch', 'weekday 0', '-6 days') AS week,
      date(value / 1000, 'unixepoch', 'start of month') AS month FROM json_each(?)`,
  )
    .bind(JSON.stringify(all))
    .all<{ time: number } & Record<BudgetPeriod, string>>()
  const ours = all.map((time) => ({
    time,
    day: periodStart('day', time),
    week: periodStart('week', time),
    month: periodStart('month', time),
  }))
  expect(results).toEqual(ours)
})
