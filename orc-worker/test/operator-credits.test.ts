import { env } from 'cloudflare:workers'
import type { AccountCreated, AdjustmentMade, FreezeMade } from '@daisi/protocol'
import { afterEach, expect, test } from 'vitest'
import { adjustment } from '../src/domain/money/transfer.ts'
import { balanced, total } from './support/books.ts'
import { balanceOf, call, newAccount, operatorAccount, settle } from './support/orc.ts'
import { newLease, postWork } from './support/posted.ts'
import { insertTransfer } from './support/raw-book.ts'
import { chat, errorCode, newScene } from './support/scene.ts'

const MAX = Number.MAX_SAFE_INTEGER
/** The most that one adjustment may give or take. */
const MAX_ADJUSTMENT = 10 ** 12
/** What gifts may bring a balance to: half of what the book can hold, so that there is room for earnings. */
const MAX_GIVEN = 2 ** 52
let serial = 0

async function adjust(
  accountId: string,
  amount: unknown,
  key: string | undefined = `key ${++serial}`,
  note = 'correction',
): Promise<Response> {
  const { token } = await operatorAccount()
  const path = `/api/accounts/${accountId}/adjustments`
  return call('POST', path, { token, body: { amount, note }, headers: { 'idempotency-key': key } })
}

async function freeze(accountId: string, body: Record<string, unknown> = {}): Promise<Response> {
  const { token } = await operatorAccount()
  return call('POST', `/api/accounts/${accountId}/freezes`, {
    token,
    body: { note: 'under review', ...body },
  })
}

async function frozen(accountId: string, amount?: number): Promise<FreezeMade['balance']> {
  const response = await freeze(accountId, amount === undefined ? {} : { amount })
  expect(response.status).toBe(201)
  return (await response.json<FreezeMade>()).balance
}

afterEach(balanced)

test('[M3] an operator gives credits and takes them', async () => {
  const account = await newAccount('a')
  const given = await adjust(account.id, 500, 'gift 1')
  expect(given.status).toBe(201)
  expect(await given.json<AdjustmentMade>()).toEqual({
    id: 'adjust:gift 1',
    balance: { available: 10_500, held: 0, frozen: 0, earned: 0, spent: 0 },
  })
  const taken = await adjust(account.id, -10_500)
  expect((await taken.json<AdjustmentMade>()).balance.available).toBe(0)
  expect((await balanceOf(account)).available).toBe(0)
})

test('[M3] an adjustment repeated under its Idempotency-Key moves its credits once', async () => {
  const account = await newAccount('a')
  const take = (): Promise<Response> => adjust(account.id, -6_000, 'once')
  const answers = await Promise.all([take(), take(), take()])
  answers.push(await take())
  expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201])
  expect((await balanceOf(account)).available).toBe(4_000)
})

test('[M3] the same Idempotency-Key for something else is a conflict', async () => {
  const [account, other] = [await newAccount('a'), await newAccount('b')]
  expect((await adjust(account.id, 5, 'taken', 'gift')).status).toBe(201)
  const attempts = [
    await adjust(account.id, 6, 'taken', 'gift'),
    await adjust(account.id, -5, 'taken', 'gift'),
    await adjust(account.id, 5, 'taken', 'another gift'),
    await adjust(other.id, 5, 'taken', 'gift'),
  ]
  for (const response of attempts) {
    expect([response.status, await errorCode(response)]).toEqual([409, 'conflict'])
    expect(response.headers.get('x-should-retry')).toBe('false')
  }
  expect([await total(account), await total(other)]).toEqual([10_005, 10_000])
})

test('an operator cannot take more than there is, however many try at once', async () => {
  const account = await newAccount('a')
  for (const amount of [-10_001, -MAX_ADJUSTMENT]) {
    const response = await adjust(account.id, amount)
    expect([response.status, await errorCode(response)]).toEqual([402, 'insufficient_credits'])
  }
  const answers = await Promise.all(Array.from({ length: 10 }, () => adjust(account.id, -3_000)))
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(3)
  expect(answers.filter(({ status }) => status === 402)).toHaveLength(7)
  expect((await balanceOf(account)).available).toBe(1_000)
})

test('an account that does not exist can be neither adjusted nor frozen', async () => {
  const { leaseId } = await newLease((await newAccount('a')).id)
  for (const id of ['acc_nobody', 'sys_adjust', 'sys_grant', encodeURIComponent(leaseId)]) {
    for (const response of [await adjust(id, 5), await freeze(id)]) {
      expect([response.status, await errorCode(response)]).toEqual([404, 'not_found'])
    }
  }
})

test.for([0, 0.5, MAX_ADJUSTMENT + 1, -MAX_ADJUSTMENT - 1, MAX, -MAX, '5', null])(
  'an amount of %s is refused',
  async (amount) => {
    const account = await newAccount('a')
    const response = await adjust(account.id, amount)
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ error: { code: 'invalid_request', param: 'amount' } })
    expect(await total(account)).toBe(10_000)
  },
)

test('[M3] one adjustment gives or takes a million million credits at most', async () => {
  const account = await newAccount('a')
  for (const amount of [MAX_ADJUSTMENT, -MAX_ADJUSTMENT]) {
    expect((await adjust(account.id, amount)).status).toBe(201)
  }
  expect((await balanceOf(account)).available).toBe(10_000)
})

test('gifts leave an account room for what it earns', async () => {
  const [payer, account] = [await newAccount('payer'), await newAccount('a')]
  const gift = adjustment('many gifts', account.id, MAX_GIVEN - 10_001, 'many gifts')
  await insertTransfer(gift)
  const refused = await adjust(account.id, 2)
  expect(refused.status).toBe(400)
  expect(await refused.json()).toMatchObject({ error: { code: 'invalid_request', param: 'amount' } })
  expect((await adjust(account.id, 1)).status).toBe(201)
  expect((await balanceOf(account)).available).toBe(MAX_GIVEN)
  await postWork(payer.id, account.id, { credits: 30 })
  expect(await balanceOf(account)).toMatchObject({ available: MAX_GIVEN + 30, earned: 30 })
  await insertTransfer(adjustment('taken back', account.id, -gift.amount, 'taken back'))
  expect((await balanceOf(account)).available).toBe(10_031)
})

test.for([undefined, '', 'x'.repeat(256), 'a\tb'])(
  'an adjustment needs an Idempotency-Key: %j',
  async (key) => {
    const [account, { token }] = [await newAccount('a'), await operatorAccount()]
    const headers = key === undefined ? {} : { headers: { 'idempotency-key': key } }
    const path = `/api/accounts/${account.id}/adjustments`
    const response = await call('POST', path, { token, body: { amount: 5, note: 'gift' }, ...headers })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({
      error: { code: 'invalid_request', param: 'Idempotency-Key' },
    })
    expect(await total(account)).toBe(10_000)
  },
)

test.for([{ note: ' ' }, { note: 'x'.repeat(201) }, { amount: -1 }, { amount: 1.5 }, { amount: MAX + 1 }])(
  'a freeze is refused: %o',
  async (body) => {
    const account = await newAccount('a')
    const response = await freeze(account.id, body)
    expect([response.status, await errorCode(response)]).toEqual([400, 'invalid_request'])
    expect((await balanceOf(account)).frozen).toBe(0)
  },
)

test('the last freeze counts, and every one stays on record', async () => {
  const account = await newAccount('a')
  expect(await frozen(account.id, 4_000)).toMatchObject({ available: 6_000, frozen: 4_000 })
  expect(await frozen(account.id)).toMatchObject({ available: 0, frozen: 10_000 })
  expect(await frozen(account.id, 1)).toMatchObject({ available: 9_999, frozen: 1 })
  expect(await frozen(account.id, 0)).toMatchObject({ available: 10_000, frozen: 0 })
  const rows = await env.DB.prepare('SELECT amount, note, operator_id FROM freezes WHERE account_id = ?')
    .bind(account.id)
    .all()
  const { id: operator_id } = await operatorAccount()
  expect(rows.results).toEqual(
    [4_000, MAX, 1, 0].map((amount) => ({ amount, note: 'under review', operator_id })),
  )
})

test('credits that are frozen can still be taken, and given credits are frozen with the rest', async () => {
  const account = await newAccount('a')
  await frozen(account.id)
  const given = await adjust(account.id, 500)
  expect((await given.json<AdjustmentMade>()).balance).toMatchObject({ available: 0, frozen: 10_500 })
  const taken = await adjust(account.id, -10_000)
  expect((await taken.json<AdjustmentMade>()).balance).toMatchObject({ available: 0, frozen: 500 })
  expect((await adjust(account.id, -501)).status).toBe(402)
})

test('[M4] what is earned arrives while everything is frozen, and is frozen too', async () => {
  const [payer, owner] = [await newAccount('payer'), await newAccount('owner')]
  await frozen(owner.id)
  await postWork(payer.id, owner.id, { credits: 30 })
  expect(await balanceOf(owner)).toEqual({ available: 0, held: 0, frozen: 10_030, earned: 30, spent: 0 })
  expect(await frozen(owner.id, 0)).toMatchObject({ available: 10_030, frozen: 0 })
})

test('[M4] a Consumer whose credits are frozen is answered 402 until they are released', async () => {
  const scene = await newScene()
  await frozen(scene.consumer.id)
  const refused = await chat(scene)
  expect([refused.status, await errorCode(refused)]).toEqual([402, 'insufficient_credits'])
  expect(await balanceOf(scene.consumer)).toMatchObject({ available: 0, held: 0, frozen: 10_000 })
  await frozen(scene.consumer.id, 0)
  await served(scene)
  expect(await total(scene.owner)).toBe(10_012)
})

test('of a part that is not frozen, a Consumer may spend', async () => {
  const scene = await newScene()
  await frozen(scene.consumer.id, 9_000)
  expect((await chat(scene, { max_tokens: 1_000 })).status).toBe(402)
  await served(scene)
  expect(await balanceOf(scene.consumer)).toMatchObject({ frozen: 9_000, spent: 12 })
})

test('the owner of a Host whose credits are frozen is paid all the same', async () => {
  const scene = await newScene()
  await frozen(scene.owner.id)
  await served(scene)
  expect(await balanceOf(scene.owner)).toMatchObject({ available: 0, frozen: 10_012, earned: 12 })
})

test('credits that a running Job holds cannot be taken', async () => {
  const scene = await newScene()
  const answer = chat(scene)
  const run = await scene.host.receive('run')
  // Held are 41 for the prompt and 20 for the answer; what else its Session had reserved comes back to be taken.
  expect((await adjust(scene.consumer.id, -10_000 + 60)).status).toBe(402)
  expect((await adjust(scene.consumer.id, -10_000 + 61)).status).toBe(201)
  scene.host.accept(run)
  scene.host.sendFrame(run.jobId, 0, 'paid')
  await scene.host.end(run, { promptTokens: 10, cachedTokens: 0, generatedTokens: 1 })
  expect((await answer).status).toBe(200)
  await settle(scene.key.key)
  expect(await spent(scene.consumer)).toBe(11)
})

async function served(scene: Awaited<ReturnType<typeof newScene>>): Promise<void> {
  const answer = chat(scene)
  await scene.host.serve(['a', 'b'])
  expect((await answer).status).toBe(200)
  await settle(scene.key.key)
}

async function spent(account: AccountCreated): Promise<number> {
  return (await balanceOf(account)).spent
}
