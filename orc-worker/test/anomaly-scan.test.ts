import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { readActivity } from '../src/db/activity.ts'
import { recordSightings } from '../src/db/anomalies.ts'
import { database } from '../src/db/client.ts'
import { scanActivity } from '../src/domain/anomalies/scan.ts'
import { NOON, fresh, onlyRecordOf, recordsOf } from './support/anomalies.ts'
import { balanced } from './support/books.ts'
import { newAccount } from './support/orc.ts'
import { newLease, postWork } from './support/posted.ts'

const db = database(env)
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

async function scan(now: number): Promise<void> {
  await recordSightings(db, scanActivity(await readActivity(db, now), now))
}

interface Work {
  hostId: string
  accountId?: string
  hour: number
  model?: string
  jobs?: number
  generatedTokens?: number
  textBytes?: number
}

/** What a Host, whose owner has no other, did in an hour, for nothing, so that the book stays as it is. */
async function worked(work: Work): Promise<void> {
  const { hostId, hour, model = 'model', jobs = 20, generatedTokens = 1_000, textBytes = 4_000 } = work
  const { accountId = `owner of ${hostId}` } = work
  await env.DB.prepare("INSERT INTO work_hourly VALUES (?, ?, ?, 'public', ?, ?, 0, 0, ?, 0, ?, 0)")
    .bind(hostId, hour - (hour % HOUR_MS), model, accountId, jobs, generatedTokens, textBytes)
    .run()
}

test('a Host that counts more tokens for the same bytes than others is shown to the operator', async () => {
  const [model, hostId] = [fresh('model'), fresh('host')]
  await worked({ hostId: fresh('honest'), hour: NOON, model })
  await worked({ hostId: fresh('honest'), hour: NOON - 23 * HOUR_MS, model })
  // 19 of the last hours and 1 of now: 20 Jobs, of which the first 400 lie before the window.
  await worked({ hostId, hour: NOON - 26 * HOUR_MS, model, jobs: 400, generatedTokens: 1, textBytes: 40_000 })
  await worked({
    hostId,
    hour: NOON - 2 * HOUR_MS,
    model,
    jobs: 19,
    generatedTokens: 1_900,
    textBytes: 3_800,
  })
  await scan(NOON)
  expect(await recordsOf(hostId)).toEqual([])
  await worked({ hostId, hour: NOON, model, jobs: 1, generatedTokens: 100, textBytes: 200 })
  await scan(NOON)
  const found = await onlyRecordOf(hostId)
  expect(found).toMatchObject({
    kind: 'inflated_counts',
    status: 'open',
    sightings: 1,
    opened_at: NOON / 1000,
    last_seen_at: NOON / 1000,
    reviewed_at: null,
    note: null,
  })
  expect(found.evidence.map(({ detail }) => detail)).toEqual([
    {
      network: 'public',
      model,
      measure: 'generated',
      jobs: 20,
      tokens: 2_000,
      bytes: 4_000,
      tokensPerByte: 0.5,
      median: 0.25,
      others: 2,
    },
  ])
})

test("one owner's Hosts are one voice about what is usual", async () => {
  const [model, hostId, accountId] = [fresh('model'), fresh('host'), fresh('owner')]
  await worked({ hostId, hour: NOON, model, generatedTokens: 3_000 })
  for (const _ of [1, 2, 3]) await worked({ hostId: fresh('honest'), accountId, hour: NOON, model })
  await scan(NOON)
  expect(await recordsOf(hostId)).toEqual([])
  await worked({ hostId: fresh('honest'), hour: NOON, model })
  await scan(NOON)
  expect((await onlyRecordOf(hostId)).evidence).toMatchObject([{ detail: { median: 0.25, others: 2 } }])
})

test('a Host that suddenly works ten times as much is shown to the operator', async () => {
  const [hostId, model] = [fresh('host'), fresh('model')]
  const hour = NOON - HOUR_MS
  for (const back of [1, 2, 3, 4, 167]) {
    await worked({ hostId, hour: hour - back * HOUR_MS, model, generatedTokens: 30_000, textBytes: 120_000 })
  }
  // Older than a week, and of the running hour: neither counts.
  await worked({ hostId, hour: hour - 169 * HOUR_MS, model, generatedTokens: 9_000_000, textBytes: 1 })
  await worked({ hostId, hour: NOON, model, generatedTokens: 9_000_000, textBytes: 1 })
  await worked({ hostId, hour, model, generatedTokens: 299_999, textBytes: 1_200_000 })
  await scan(NOON)
  expect(await recordsOf(hostId)).toEqual([])
  await worked({ hostId, hour, model: fresh('model'), generatedTokens: 1, textBytes: 4 })
  await scan(NOON)
  const found = await onlyRecordOf(hostId)
  expect([found.kind, found.evidence[0]?.detail]).toEqual([
    'volume_spike',
    { hour: hour - (hour % HOUR_MS), tokens: 300_000, meanTokens: 30_000, workedHours: 5 },
  ])
})

test('accounts that pay each other in a circle are shown to the operator', async () => {
  const [a = '', b = '', c = ''] = (
    await Promise.all(['a', 'b', 'c'].map(async (name) => (await newAccount(name)).id))
  ).toSorted()
  const endedAt = NOON - HOUR_MS
  await postWork(a, b, { credits: 2_000, endedAt: NOON - 25 * HOUR_MS })
  await postWork(a, b, { credits: 1_500, endedAt })
  await postWork(b, c, { credits: 600, endedAt })
  await postWork(b, c, { credits: 600, endedAt })
  await scan(NOON)
  await postWork(c, a, { credits: 1_000, endedAt })
  expect(await recordsOf(a)).toEqual([])
  await scan(NOON)
  const found = await onlyRecordOf(a)
  expect([found.kind, found.evidence[0]?.detail]).toEqual([
    'circular_flow',
    { accounts: [a, b, c], credits: [1_500, 1_200, 1_000] },
  ])
  await balanced()
})

test('payments of more than a day ago, and credits that did not pay for work, make no circle', async () => {
  const [a, b] = [(await newAccount('a')).id, (await newAccount('b')).id]
  const then = NOON + 10 * DAY_MS
  await postWork(a, b, { credits: 1_000, endedAt: then })
  await postWork(b, a, { credits: 1_000, endedAt: then })
  const activity = await readActivity(db, then + DAY_MS + 1)
  expect(activity.flows).toEqual([])
  const between = (await readActivity(db, then + DAY_MS)).flows
  expect(between).toHaveLength(2)
  expect(between).toEqual(expect.arrayContaining([{ payer: a, payee: b, credits: 1_000 }]))
})

test('however many reservations lie between two payments, their circle is seen', async () => {
  const [a, b] = [await newAccount('a'), await newAccount('b')].map(({ id }) => id).toSorted() as [
    string,
    string,
  ]
  const now = NOON + 20 * DAY_MS
  await postWork(a, b, { credits: 1_000, endedAt: now })
  const { leaseId } = await newLease(a)
  // One credit goes into the lease and comes back, 30,000 times.
  await env.DB.prepare(
    `WITH RECURSIVE turns (turn) AS (SELECT 0 UNION ALL SELECT turn + 1 FROM turns WHERE turn < 59999)
     INSERT INTO transfers (id, debit, credit, payer, payee, amount, reason, created_at)
     SELECT ?2 || ':' || turn, iif(turn % 2, ?2, ?1), iif(turn % 2, ?1, ?2), ?1, ?1, 1,
       iif(turn % 2, 'release', 'lease'), ?3 FROM turns`,
  )
    .bind(a, leaseId, now)
    .run()
  await postWork(b, a, { credits: 1_000, endedAt: now })
  await scan(now)
  expect((await onlyRecordOf(a)).evidence).toMatchObject([
    { detail: { accounts: [a, b], credits: [1_000, 1_000] } },
  ])
  await balanced()
})

test('many scans of one day make one sighting, those of more days one record', async () => {
  const [model, hostId] = [fresh('model'), fresh('host')]
  for (const honest of [fresh('honest'), fresh('honest')]) await worked({ hostId: honest, hour: NOON, model })
  await worked({ hostId, hour: NOON, model, generatedTokens: 3_000 })
  for (const later of [0, 60_000, 300_000]) await scan(NOON + later)
  expect((await onlyRecordOf(hostId)).sightings).toBe(1)
  await scan(NOON + 23 * HOUR_MS)
  expect(await onlyRecordOf(hostId)).toMatchObject({
    sightings: 2,
    opened_at: NOON / 1000,
    last_seen_at: (NOON + 23 * HOUR_MS) / 1000,
  })
})
