import { env } from 'cloudflare:workers'
import { type AccountCreated, type ActivityReport, activityReport } from '@daisi/protocol'
import { expect, test } from 'vitest'
import { postWork } from './support/posted.ts'
import { balanceOf, call, newAccount, newKey, settle } from './support/orc.ts'
import { chat, errorCode, newScene } from './support/scene.ts'

async function report(account: AccountCreated, path: string): Promise<ActivityReport> {
  const response = await call('GET', `/api/${path}`, { token: account.token })
  return activityReport.strict().parse(await response.json())
}

async function statementSum(account: AccountCreated, kind: string): Promise<number> {
  const response = await call('GET', '/api/statement', { token: account.token })
  const { entries } = await response.json<{ entries: { kind: string; amount: number }[] }>()
  return entries.filter((entry) => entry.kind === kind).reduce((sum, { amount }) => sum + amount, 0)
}

const credits = ({ rows }: ActivityReport): number => rows.reduce((sum, row) => sum + row.credits, 0)
const day = (text: string): number => Date.parse(`${text}T12:00:00Z`)

test('[M1] what chats cost is the same in statement, usage, earnings and balance', async () => {
  const scene = await newScene()
  for (const texts of [['a', 'b'], ['c'], ['d', 'e', 'f']]) {
    const answer = chat(scene)
    await scene.host.serve(texts, 20, 5)
    await (await answer).text()
  }
  await settle(scene.key.key)
  const cost = 3 * (20 - 5) + 6
  const sums = { jobs: 3, prompt_tokens: 60, cached_tokens: 15, generated_tokens: 6, credits: cost }
  expect((await balanceOf(scene.consumer)).spent).toBe(cost)
  expect((await balanceOf(scene.owner)).earned).toBe(cost)
  expect(await statementSum(scene.consumer, 'spent')).toBe(-cost)
  expect(await statementSum(scene.owner, 'earned')).toBe(cost)
  const today = expect.stringMatching(/^\d{4}-\d\d-\d\d$/)
  for (const [by, group, name] of [
    ['key', scene.key.id, 'key'],
    ['app', expect.stringMatching(/^app_/), 'app'],
    ['model', scene.model, null],
    ['day', today, null],
  ] as const) {
    expect((await report(scene.consumer, `usage?by=${by}`)).rows).toEqual([{ group, name, ...sums }])
  }
  for (const [by, group, name] of [
    ['host', scene.host.keys.id, expect.any(String)],
    ['model', scene.model, null],
    ['day', today, null],
  ] as const) {
    expect((await report(scene.owner, `earnings?by=${by}`)).rows).toEqual([{ group, name, ...sums }])
  }
  expect((await report(scene.consumer, 'earnings')).rows).toEqual([])
  expect((await report(scene.owner, 'usage')).rows).toEqual([])
})

test('a report covers the days it is asked for, both included, and nobody else', async () => {
  const [payer, payee, other] = [await newAccount('payer'), await newAccount('payee'), await newAccount('o')]
  for (const [index, date] of ['2026-01-31', '2026-02-01', '2026-02-28', '2026-03-01'].entries()) {
    await postWork(payer.id, payee.id, { endedAt: day(date), credits: 10 ** index })
  }
  await postWork(other.id, payee.id, { endedAt: Date.parse('2026-02-28T23:59:59.999Z'), credits: 10_000 })
  await postWork(other.id, payee.id, { endedAt: Date.parse('2026-02-01T00:00:00Z'), credits: 0 })
  const february = 'from=2026-02-01&to=2026-02-28'
  const usage = await report(payer, `usage?${february}`)
  expect(usage).toMatchObject({ by: 'day', from: '2026-02-01', to: '2026-02-28' })
  expect(usage.rows.map(({ group, credits }) => [group, credits])).toEqual([
    ['2026-02-01', 10],
    ['2026-02-28', 100],
  ])
  const earnings = await report(payee, `earnings?${february}`)
  expect(earnings.rows.map(({ group, jobs, credits }) => [group, jobs, credits])).toEqual([
    ['2026-02-01', 1, 10],
    ['2026-02-28', 2, 10_100],
  ])
  // What cost nothing is usage and no earnings.
  const others = await report(other, `usage?${february}&by=day`)
  expect(others.rows.map(({ group, jobs, credits }) => [group, jobs, credits])).toEqual([
    ['2026-02-01', 1, 0],
    ['2026-02-28', 1, 10_000],
  ])
  expect(credits(await report(payer, 'usage?from=2026-03-02&to=2026-03-02'))).toBe(0)
})

test('lines are ordered by credits, and keys that are gone keep theirs', async () => {
  const [payer, payee] = [await newAccount('payer'), await newAccount('payee')]
  const key = await newKey(payer)
  await call('DELETE', `/api/keys/${key.id}`, { token: payer.token })
  await postWork(payer.id, payee.id, { keyId: key.id, model: 'small', credits: 5 })
  await postWork(payer.id, payee.id, { keyId: key.id, model: 'large', credits: 50 })
  await postWork(payer.id, payee.id, { keyId: 'key_unknown', model: 'small', credits: 6 })
  const lines = async (by: string): Promise<unknown[]> =>
    (await report(payer, `usage?by=${by}`)).rows.map(({ group, name, credits }) => [group, name, credits])
  expect(await lines('model')).toEqual([
    ['large', null, 50],
    ['small', null, 11],
  ])
  expect(await lines('key')).toEqual([
    [key.id, 'key', 55],
    ['key_unknown', null, 6],
  ])
  expect(await lines('app')).toEqual([
    [expect.stringMatching(/^app_/), 'app', 55],
    ['', null, 6],
  ])
})

test('a report never has more than a thousand lines', async () => {
  const account = await newAccount('busy')
  const insert = (count: number): Promise<unknown> =>
    env.DB.prepare(
      `with recursive models (model) as (select 1 union all select model + 1 from models where model < ?2)
      insert or replace into usage_daily
      select ?1, date(), 'key', 'model ' || model, 1, 1, 0, 1, 0 from models`,
    )
      .bind(account.id, count)
      .run()
  await insert(1_000)
  expect((await report(account, 'usage?by=model')).rows).toHaveLength(1_000)
  await insert(1_001)
  const refused = await call('GET', '/api/usage?by=model', { token: account.token })
  expect([refused.status, await errorCode(refused)]).toEqual([400, 'invalid_request'])
  expect((await report(account, 'usage?by=key')).rows).toMatchObject([{ group: 'key', jobs: 1_001 }])
})

test.for([
  ['usage?by=host', 'by'],
  ['earnings?by=key', 'by'],
  ['usage?from=yesterday', 'from'],
  ['usage?from=2026-02-30', 'from'],
  ['usage?from=2026-02-02&to=2026-02-01', 'to'],
  ['earnings?from=2025-01-01&to=2026-06-01', 'from'],
] as const)('%s is refused', async ([path, param]) => {
  const { token } = await newAccount('mistaken')
  const response = await call('GET', `/api/${path}`, { token })
  expect(response.status).toBe(400)
  expect(await response.json()).toMatchObject({ error: { code: 'invalid_request', param } })
})
