import { env } from 'cloudflare:workers'
import { type AccountCreated, type StatementEntry, type StatementPage, statementPage } from '@daisi/protocol'
import { expect, test } from 'vitest'
import { database } from '../src/db/client.ts'
import { postTransfers } from '../src/db/ledger.ts'
import { adjustment, refill, release } from '../src/domain/money/transfer.ts'
import { newLease, postWork } from './support/posted.ts'
import { balanceOf, call, newAccount } from './support/orc.ts'
import { errorCode } from './support/scene.ts'

const db = database(env)

async function page(account: AccountCreated, query = ''): Promise<StatementPage> {
  const response = await call('GET', `/api/statement${query}`, { token: account.token })
  return statementPage.strict().parse(await response.json())
}

/** The whole statement, page by page, with the number of pages. */
async function pages(account: AccountCreated, query: string): Promise<StatementPage[]> {
  const all = [await page(account, `?${query}`)]
  for (let last = all[0]; last !== undefined && last.next_cursor !== null; last = all.at(-1)) {
    all.push(await page(account, `?${query}&cursor=${last.next_cursor}`))
  }
  return all
}

async function csv(account: AccountCreated, query: string, headers = {}): Promise<string[]> {
  const response = await call('GET', `/api/statement${query}`, { token: account.token, headers })
  expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8; header=present')
  expect(response.headers.get('content-disposition')).toMatch(/^attachment/)
  const lines = (await response.text()).split('\r\n')
  expect(lines.shift()).toBe('time,kind,amount,note,id')
  expect(lines.pop()).toBe('')
  return lines
}

const iso = (seconds: number): string => new Date(seconds * 1_000).toISOString().replace('.000Z', 'Z')
const lineOf = (entry: StatementEntry): string =>
  [iso(entry.created_at), entry.kind, entry.amount, entry.note ?? '', entry.id].join(',')
const kinds = ({ entries }: StatementPage): unknown[] => entries.map(({ kind, amount }) => [kind, amount])
const sum = (entries: readonly StatementEntry[]): number =>
  entries.reduce((total, { amount }) => total + amount, 0)

/** Many refills and releases of one credit, in the order in which a Session would write them. */
async function reserveOften(accountId: string, times: number): Promise<void> {
  const { leaseId } = await newLease(accountId)
  await env.DB.prepare(
    `with recursive turns (turn) as (select 0 union all select turn + 1 from turns where turn < ?3)
    insert into transfers (id, debit, credit, payer, payee, amount, reason, created_at)
    select iif(turn % 2, 'release:', 'lease:') || ?2 || turn, iif(turn % 2, ?2, ?1), iif(turn % 2, ?1, ?2), ?1, ?1, 1,
      iif(turn % 2, 'release', 'lease'), 0
    from turns`,
  )
    .bind(accountId, leaseId, times * 2 - 1)
    .run()
}

test('[M1] each side of a payment sees its own, and an operator tells why', async () => {
  const [consumer, owner] = [await newAccount('consumer'), await newAccount('owner')]
  await postWork(consumer.id, owner.id, { credits: 30 })
  await postTransfers(db, [adjustment('a1', owner.id, 12, 'thanks')], Date.now())
  await postTransfers(db, [adjustment('a2', owner.id, -2, 'too much')], Date.now())
  expect(kinds(await page(consumer))).toEqual([
    ['spent', -30],
    ['grant', 10_000],
  ])
  const earned = await page(owner)
  expect(kinds(earned)).toEqual([
    ['adjust', -2],
    ['adjust', 12],
    ['earned', 30],
    ['grant', 10_000],
  ])
  expect(earned.entries.map(({ note }) => note)).toEqual(['too much', 'thanks', null, null])
  expect([await balanceOf(consumer), await balanceOf(owner)]).toMatchObject([
    { available: 9_970, spent: 30, earned: 0 },
    { available: 10_040, spent: 0, earned: 30 },
  ])
})

test('reservations are shown on demand, and then the entries add up to what is free', async () => {
  const account = await newAccount('reserving')
  const lease = await newLease(account.id)
  await postTransfers(db, [refill('show:1', lease, 500)], 1_000)
  await postTransfers(db, [release('show:2', lease, 200)], 2_999)
  expect(kinds(await page(account))).toEqual([['grant', 10_000]])
  const all = await page(account, '?show=all')
  expect(kinds(all)).toEqual([
    ['returned', 200],
    ['reserved', -500],
    ['grant', 10_000],
  ])
  expect(all.entries.map(({ created_at }) => created_at).slice(0, 2)).toEqual([2, 1])
  expect(await balanceOf(account)).toMatchObject({ available: sum(all.entries), held: 300 })
})

test.for(['changes', 'all'])('pages of %s follow each other without gap or repetition', async (show) => {
  const [one, other] = [await newAccount('one'), await newAccount('other')]
  for (let turn = 1; turn <= 12; turn++) {
    const [payer, payee] = turn % 3 === 0 ? [other, one] : [one, other]
    await postWork(payer.id, payee.id, { credits: turn })
  }
  for (const account of [one, other]) {
    const whole = await page(account, `?show=${show}&limit=1000`)
    expect(whole.next_cursor).toBeNull()
    for (const limit of [1, 4, 5]) {
      const split = await pages(account, `show=${show}&limit=${limit}`)
      expect(split.length).toBe(Math.ceil(whole.entries.length / limit))
      expect(split.flatMap(({ entries }) => entries)).toEqual(whole.entries)
    }
    expect(new Set(whole.entries.map(({ id }) => id)).size).toBe(whole.entries.length)
  }
})

test('however many reservations lie between two changes, a page is short rather than slow', async () => {
  const [account, other] = [await newAccount('restless'), await newAccount('other')]
  await postWork(account.id, other.id, { credits: 7 })
  await reserveOften(account.id, 1_200)
  await postWork(other.id, account.id, { credits: 9 })
  const split = await pages(account, 'limit=3')
  expect(split.map(({ entries }) => entries.length)).toEqual([1, 0, 2])
  expect(split.flatMap(kinds)).toEqual([
    ['earned', 9],
    ['spent', -7],
    ['grant', 10_000],
  ])
  expect(await csv(account, '?format=csv')).toEqual(split.flatMap(({ entries }) => entries.map(lineOf)))
})

test('[M1] CSV is the same statement, whole', async () => {
  const account = await newAccount('spreadsheet')
  await reserveOften(account.id, 600)
  for (const format of ['', '&limit=2']) {
    const entries = (await pages(account, 'show=all&limit=1000')).flatMap((part) => part.entries)
    expect(entries).toHaveLength(1_201)
    expect(await csv(account, `?show=all&format=csv${format}`)).toEqual(entries.map(lineOf))
  }
})

test('CSV comes by Accept as well, unless the query says otherwise', async () => {
  const account = await newAccount('browser')
  const headers = { accept: 'text/csv;q=0.9, text/html;q=0.5' }
  expect(await csv(account, '', headers)).toHaveLength(1)
  const json = await call('GET', '/api/statement?format=json', { token: account.token, headers })
  expect((await json.json<StatementPage>()).entries).toHaveLength(1)
  const any = await call('GET', '/api/statement', { token: account.token, headers: { accept: '*/*' } })
  expect((await any.json<StatementPage>()).entries).toHaveLength(1)
})

test('a note that looks like a formula stays text in a spreadsheet, and a negative amount a number', async () => {
  const account = await newAccount('attacked')
  await postTransfers(db, [adjustment('f1', account.id, -3, '=cmd|"/c calc"!A1, really')], 1_000)
  const [line] = await csv(account, '?format=csv')
  expect(line).toMatch(/^1970-01-01T00:00:01Z,adjust,-3,"'=cmd\|""\/c calc""!A1, really",mov_\d+$/)
})

test('[M1] a statement tells nothing of anybody else', async () => {
  const [consumer, owner] = [await newAccount('consumer'), await newAccount('owner')]
  const settlement = await postWork(consumer.id, owner.id)
  for (const [reader, other] of [
    [consumer, owner],
    [owner, consumer],
  ] as const) {
    const answers = [
      JSON.stringify(await page(reader, '?show=all')),
      (await csv(reader, '?show=all&format=csv')).join('\n'),
    ]
    for (const secret of [other.id, settlement, 'lease:']) expect(answers.join('\n')).not.toContain(secret)
  }
  expect(kinds(await page(await newAccount('stranger'), '?show=all'))).toEqual([['grant', 10_000]])
})

test.for(['limit=0', 'limit=1001', 'limit=x', 'cursor=-1', 'cursor=x', 'show=some', 'format=pdf'])(
  'a statement with ?%s is refused',
  async (query) => {
    const { token } = await newAccount('mistaken')
    const response = await call('GET', `/api/statement?${query}`, { token })
    expect([response.status, await errorCode(response)]).toEqual([400, 'invalid_request'])
  },
)
