import { expect, test } from 'vitest'
import { type Activity, scanActivity } from './scan.ts'

const NOW = Date.UTC(2026, 10, 22, 13, 30)
const counted = {
  network: 'public',
  model: 'nano',
  jobs: 20,
  promptTokens: 0,
  promptBytes: 0,
  textBytes: 4_000,
}
const activity: Activity = {
  counts: [
    { hostId: 'h1', accountId: 'a1', ...counted, generatedTokens: 2_000 },
    { hostId: 'h2', accountId: 'a2', ...counted, generatedTokens: 1_000 },
    { hostId: 'h3', accountId: 'a3', ...counted, generatedTokens: 1_000 },
  ],
  volumes: [{ hostId: 'h2', tokens: 200_000, earlierTokens: 5, earlierHours: 5, firstHour: 0 }],
  flows: [
    { payer: 'a1', payee: 'a2', credits: 1_000 },
    { payer: 'a2', payee: 'a1', credits: 1_000 },
  ],
}

test('a scan looks for everything', () => {
  expect(scanActivity(activity, NOW).map(({ kind, subject }) => [kind, subject])).toEqual([
    ['inflated_counts', 'h1'],
    ['volume_spike', 'h2'],
    ['circular_flow', 'a1'],
  ])
})

test('a second scan gives the same ids, each once', () => {
  const [first, second] = [NOW, NOW + 1_000].map((now) => scanActivity(activity, now).map(({ id }) => id))
  expect(second).toEqual(first)
  expect(new Set(first).size).toBe(3)
})

test('nothing gives nothing', () => {
  expect(scanActivity({ counts: [], volumes: [], flows: [] }, NOW)).toEqual([])
})
