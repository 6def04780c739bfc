import { env } from 'cloudflare:workers'
import type { AnomalyPage, AnomalyView } from '@daisi/protocol'
import { expect, test } from 'vitest'
import { recordSightings } from '../src/db/anomalies.ts'
import { database } from '../src/db/client.ts'
import type { Sighting } from '../src/domain/anomalies/sighting.ts'
import { NOON, anomalyPage, fresh, onlyRecordOf, recordsOf } from './support/anomalies.ts'
import { audit, call, operatorAccount } from './support/orc.ts'
import { errorCode } from './support/scene.ts'

const db = database(env)

const sighting = (subject: string, over: Partial<Sighting> = {}): Sighting => {
  return {
    id: fresh('sighting'),
    kind: 'excess_claim',
    subject,
    seenAt: NOON,
    detail: { jobId: 'j' },
    ...over,
  }
}

async function review(id: string, body: unknown = { verdict: 'dismissed', note: 'fine' }): Promise<Response> {
  const { token } = await operatorAccount()
  return call('POST', `/api/anomalies/${id}/review`, { token, body })
}

test('[M5] recordings at once make one record, and each sighting stands once', async () => {
  const subject = fresh('host')
  const [shared, ...others] = Array.from({ length: 9 }, () => sighting(subject)) as [Sighting, ...Sighting[]]
  await Promise.all(others.map((other) => recordSightings(db, [shared, other, shared])))
  expect((await onlyRecordOf(subject)).sightings).toBe(9)
})

test('more sightings than one batch takes are all noted, by subject and kind', async () => {
  const subjects = Array.from({ length: 125 }, () => fresh('host'))
  const seen = subjects.flatMap((subject) => [sighting(subject), sighting(subject, { kind: 'clock_skew' })])
  await recordSightings(db, seen)
  await recordSightings(db, seen)
  const { anomalies } = await anomalyPage('limit=500')
  const ours = anomalies.filter(({ subject }) => subjects.includes(subject))
  expect(new Set(ours.map(({ subject, kind }) => `${subject} ${kind}`)).size).toBe(250)
  expect(ours.every(({ sightings }) => sightings === 1)).toBe(true)
  expect((await audit()).open_anomalies).toBeGreaterThanOrEqual(250)
})

test('a record keeps fifty sightings, and the time of the last one', async () => {
  const subject = fresh('host')
  const seen = Array.from({ length: 120 }, (_, index) => sighting(subject, { seenAt: NOON + index * 1_000 }))
  await recordSightings(db, seen.slice(0, 30))
  await recordSightings(db, seen.slice(30))
  const found = await onlyRecordOf(subject)
  expect(found).toMatchObject({ sightings: 50, opened_at: NOON / 1000, last_seen_at: NOON / 1000 + 119 })
  expect(found.evidence.map(({ id }) => id)).toEqual(seen.slice(0, 50).map(({ id }) => id))
  await recordSightings(db, [sighting(subject, { seenAt: NOON - 1_000 })])
  expect((await onlyRecordOf(subject)).last_seen_at).toBe(NOON / 1000 + 119)
})

test('[M5] a review closes a record for good; what was seen stays seen, and something new opens another', async () => {
  const subject = fresh('host')
  const first = sighting(subject)
  await recordSightings(db, [first])
  const { id } = await onlyRecordOf(subject)
  const response = await review(id, { verdict: 'upheld', note: ' Counts each byte. ' })
  expect(response.status).toBe(200)
  const reviewed = await response.json<AnomalyView>()
  expect(reviewed).toMatchObject({ id, status: 'upheld', note: 'Counts each byte.', sightings: 1 })
  expect(reviewed.reviewed_at).toBeGreaterThan(0)
  const row = await env.DB.prepare('SELECT reviewed_by FROM anomalies WHERE id = ?').bind(id).first()
  expect(row).toEqual({ reviewed_by: (await operatorAccount()).id })

  await recordSightings(db, [first])
  expect(await onlyRecordOf(subject)).toMatchObject({ id, status: 'upheld', last_seen_at: NOON / 1000 })
  const again = await review(id)
  expect([again.status, await errorCode(again)]).toEqual([409, 'conflict'])

  await recordSightings(db, [first, sighting(subject, { seenAt: NOON + 5_000 })])
  const records = await recordsOf(subject)
  expect(records.map(({ status, sightings }) => [status, sightings])).toEqual([
    ['open', 1],
    ['upheld', 1],
  ])
  expect(records[0]?.last_seen_at).toBe(NOON / 1000 + 5)
})

test('of two reviews at once one counts', async () => {
  const subject = fresh('host')
  await recordSightings(db, [sighting(subject)])
  const { id } = await onlyRecordOf(subject)
  const bodies = ['dismissed', 'upheld'].map((verdict) => ({ verdict, note: verdict }))
  const answers = await Promise.all(bodies.map((body) => review(id, body)))
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 409]))
  const { status } = await onlyRecordOf(subject)
  expect(answers[status === 'dismissed' ? 0 : 1]?.status).toBe(200)
})

test('records are listed newest first, page by page, without gap or repetition', async () => {
  const subjects = Array.from({ length: 7 }, () => fresh('host'))
  for (const subject of subjects) await recordSightings(db, [sighting(subject)])
  const seen: string[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const from: string = cursor === '' ? '' : `&cursor=${cursor}`
    const page: AnomalyPage = await anomalyPage(`limit=3${from}`)
    expect(page.anomalies.length).toBeLessThanOrEqual(3)
    seen.push(...page.anomalies.map(({ subject }) => subject))
    // Another one that comes meanwhile belongs to an earlier page.
    if (seen.length === 3) await recordSightings(db, [sighting(fresh('late'))])
    cursor = page.next_cursor
  }
  expect(seen.slice(0, 7)).toEqual(subjects.toReversed())
  const { anomalies, next_cursor } = await anomalyPage('limit=500')
  expect([anomalies.slice(1).map(({ subject }) => subject), next_cursor]).toEqual([seen, null])
})

test.for([
  ['status=closed', 'status'],
  ['limit=0', 'limit'],
  ['limit=501', 'limit'],
  ['limit=many', 'limit'],
  ['cursor=-1', 'cursor'],
  ['cursor=12345678901234567', 'cursor'],
] as const)('a bad query is refused: %s', async ([query, param]) => {
  const { token } = await operatorAccount()
  const response = await call('GET', `/api/anomalies?${query}`, { token })
  expect(response.status).toBe(400)
  expect(await response.json()).toMatchObject({ error: { code: 'invalid_request', param } })
})

test('a review needs a verdict and a reason, and a record', async () => {
  const subject = fresh('host')
  await recordSightings(db, [sighting(subject)])
  const { id } = await onlyRecordOf(subject)
  const bad = [{}, { verdict: 'open', note: 'x' }, { verdict: 'upheld', note: ' ' }, { verdict: 'upheld' }]
  for (const body of bad) expect((await review(id, body)).status).toBe(400)
  expect((await onlyRecordOf(subject)).status).toBe('open')
  const { token } = await operatorAccount()
  const missing = [await review('ano_none'), await call('GET', '/api/anomalies/ano_none', { token })]
  for (const response of missing) {
    expect([response.status, await errorCode(response)]).toEqual([404, 'not_found'])
  }
})
