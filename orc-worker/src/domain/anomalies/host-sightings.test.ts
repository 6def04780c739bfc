import { expect, test } from 'vitest'
import {
  clockSkew,
  excessClaim,
  idleClaim,
  invalidReceipt,
  strayReceipt,
  unpaidWork,
} from './host-sightings.ts'

const NOW = Date.parse('2026-03-04T05:06:07Z')
const CLAIM = { hostId: 'host', jobId: 'job', receipt: 'a.b.c' }
const UNCHECKED = { hostId: 'host', jobId: 'job', digest: 'SHA-256' }
const USAGE = { promptTokens: 3, cachedTokens: 0, generatedTokens: 9 }

test('an excess claim keeps both counts and the receipt, and nothing else that the meter knows', () => {
  const counts = { promptTokens: 3, cachedTokens: 0, sentTokens: 5, deliveredTokens: 4, textBytes: 20 }
  const limits = { promptBound: 30, budget: 40, maxTokens: 10, resumed: false }
  const meter = { ...counts, ...limits, sessionName: 'plain:secret' }
  const excess = { promptTokens: 0, generatedTokens: 5 }
  const sighting = excessClaim({ ...CLAIM, model: 'm', meter, claimed: USAGE, excess }, NOW)
  expect(sighting).toEqual({
    id: 'excess_claim:job',
    kind: 'excess_claim',
    subject: 'host',
    seenAt: NOW,
    detail: {
      jobId: 'job',
      model: 'm',
      meter: { ...counts, ...limits },
      claimed: USAGE,
      excess,
      receipt: 'a.b.c',
    },
  })
})

test('of a receipt that nobody could check, the digest is kept and nothing else', () => {
  const unchecked = { ...UNCHECKED, receipt: 'secret' }
  expect(invalidReceipt({ ...unchecked, fault: 'signature' }, NOW)).toEqual({
    id: 'invalid_receipt:job',
    kind: 'invalid_receipt',
    subject: 'host',
    seenAt: NOW,
    detail: { jobId: 'job', reason: 'signature', digest: 'SHA-256' },
  })
  expect(strayReceipt(unchecked, NOW)).toEqual({
    id: 'stray_receipt:host:2026-03-04T05',
    kind: 'stray_receipt',
    subject: 'host',
    seenAt: NOW,
    detail: { jobId: 'job', digest: 'SHA-256' },
  })
})

test('a receipt that was checked is kept whole, however long', () => {
  const receipt = 'x'.repeat(5_000)
  expect(clockSkew({ ...CLAIM, receipt, endedAt: 0 }, NOW)?.detail).toEqual({
    jobId: 'job',
    skewMs: -NOW,
    receipt,
  })
})

test('sightings that come often are one for each Host and hour, or day', () => {
  const minute = 60_000
  const stray = strayReceipt(UNCHECKED, NOW)
  expect(strayReceipt({ ...UNCHECKED, jobId: 'other' }, NOW + minute).id).toBe(stray.id)
  expect(strayReceipt({ ...UNCHECKED, hostId: 'other' }, NOW).id).not.toBe(stray.id)
  expect(strayReceipt(UNCHECKED, NOW + 60 * minute).id).not.toBe(stray.id)
  const late = { ...CLAIM, endedAt: 0 }
  expect(clockSkew(late, NOW)?.id).toBe(clockSkew(late, NOW + 60 * minute)?.id)
  expect(clockSkew(late, NOW)?.id).not.toBe(clockSkew(late, NOW + 24 * 60 * minute)?.id)
})

test('a clock may be off by five minutes, either way', () => {
  const off = (skewMs: number) => clockSkew({ ...CLAIM, endedAt: NOW + skewMs }, NOW)
  expect([off(300_000), off(-300_000)]).toEqual([undefined, undefined])
  expect([off(300_001)?.detail['skewMs'], off(-300_001)?.detail['skewMs']]).toEqual([300_001, -300_001])
})

test('a Host is idle from the tenth Job on that it leaves', () => {
  const idle = (untaken: number) => idleClaim({ hostId: 'host', untaken, freeSlots: 2 }, NOW)
  expect(idle(9)).toBeUndefined()
  expect(idle(10)).toMatchObject({ kind: 'idle_claim', detail: { untaken: 10, freeSlots: 2 } })
  expect(idle(11)?.id).toBe(idle(10)?.id)
})

test('unpaid work names the Job and what was done', () => {
  const job = { hostId: 'host', jobId: 'job', model: 'm', usage: USAGE, endedAt: NOW, payee: 'owner' }
  expect(unpaidWork(job, NOW)).toMatchObject({
    id: 'unpaid_work:job',
    subject: 'host',
    detail: { jobId: 'job', model: 'm', usage: USAGE, endedAt: NOW },
  })
  expect(unpaidWork(job, NOW).detail).not.toHaveProperty('payee')
})
