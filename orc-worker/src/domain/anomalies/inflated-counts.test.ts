import { expect, test } from 'vitest'
import { type HostCounts, countsSince, inflatedCounts } from './inflated-counts.ts'

const NOW = Date.UTC(2026, 10, 22, 13, 30)

/** Twenty Jobs with a quarter of a token for each byte, as in English, on a Host that has an owner of its own. */
function counts(hostId: string, over: Partial<HostCounts> = {}): HostCounts {
  return {
    hostId,
    accountId: `owner of ${hostId}`,
    network: 'public',
    model: 'nano',
    jobs: 20,
    promptTokens: 10_000,
    promptBytes: 40_000,
    generatedTokens: 1_000,
    textBytes: 4_000,
    ...over,
  }
}

const others = [counts('b'), counts('c')]

test.for<[string, readonly HostCounts[], readonly string[]]>([
  ['an honest Host is not', [counts('a'), ...others], []],
  ['1.5 times the median is not yet', [counts('a', { generatedTokens: 1_500 }), ...others], []],
  [
    'more generated tokens than that are',
    [counts('a', { generatedTokens: 1_501 }), ...others],
    ['generated'],
  ],
  ['more prompt tokens than that are', [counts('a', { promptTokens: 15_001 }), ...others], ['prompt']],
  [
    'both are two sightings',
    [counts('a', { generatedTokens: 3_000, promptTokens: 30_000 }), ...others],
    ['prompt', 'generated'],
  ],
  ['a Host with 19 Jobs is not', [counts('a', { jobs: 19, generatedTokens: 4_000 }), ...others], []],
  ['one other owner is too few to compare with', [counts('a', { generatedTokens: 4_000 }), counts('b')], []],
  [
    'many Hosts of one other owner are one',
    [
      counts('a', { generatedTokens: 4_000 }),
      ...['b', 'c', 'd'].map((id) => counts(id, { accountId: 'one' })),
    ],
    [],
  ],
  [
    "the owner's other Hosts do not count",
    [counts('a', { generatedTokens: 4_000 }), counts('b', { accountId: 'owner of a' }), counts('c')],
    [],
  ],
  [
    'others with 19 Jobs do not count',
    [counts('a', { generatedTokens: 4_000 }), counts('b'), counts('c', { jobs: 19 })],
    [],
  ],
  [
    'others with another model do not count',
    [counts('a', { generatedTokens: 4_000 }), counts('b'), counts('c', { model: 'large' })],
    [],
  ],
  [
    'others in another Network do not count',
    [counts('a', { generatedTokens: 4_000 }), counts('b'), counts('c', { network: 'club' })],
    [],
  ],
  [
    'short prompts, dense with their template, are not',
    [counts('a', { promptTokens: 30_000, promptBytes: 19_999 }), ...others],
    [],
  ],
  [
    'prompts of 1,000 bytes are',
    [counts('a', { promptTokens: 30_000, promptBytes: 20_000 }), ...others],
    ['prompt'],
  ],
  [
    'answers of single letters are not',
    [counts('a', { generatedTokens: 999, textBytes: 999 }), ...others],
    [],
  ],
  [
    'answers of 50 bytes are',
    [counts('a', { generatedTokens: 999, textBytes: 1_000 }), ...others],
    ['generated'],
  ],
  [
    'a Host that delivered nothing is no measure for others',
    [counts('a', { generatedTokens: 4_000 }), counts('b'), counts('c', { generatedTokens: 0 })],
    [],
  ],
])('tokens counted: %s', ([, rows, measures]) => {
  const seen = inflatedCounts(rows, NOW)
  expect(seen.map(({ detail }) => detail['measure'])).toEqual(measures)
  expect(
    seen.every(
      ({ kind, subject, seenAt }) => kind === 'inflated_counts' && subject === 'a' && seenAt === NOW,
    ),
  ).toBe(true)
})

test('the median is that of the other owners, whatever the Host itself counts', () => {
  const rows = [100, 200, 300, 400, 900].map((generatedTokens, index) =>
    counts(`h${index}`, { generatedTokens, textBytes: 1_000 }),
  )
  const seen = inflatedCounts(rows, NOW)
  expect(seen.map(({ subject, detail }) => [subject, detail['median'], detail['others']])).toEqual([
    ['h3', 0.25, 4],
    ['h4', 0.25, 4],
  ])
})

test('an owner is one voice, however many Hosts it has', () => {
  const swarm = [600, 600, 600, 600, 900].map((generatedTokens, index) =>
    counts(`s${index}`, { accountId: 'swarm', generatedTokens, textBytes: 1_000 }),
  )
  const seen = inflatedCounts([...swarm, ...others, counts('d', { generatedTokens: 1_200 })], NOW)
  // Each of the swarm stands against b, c and d. Their median is 0.25, and that of the swarm would have been 0.6.
  const found = seen.map(({ subject, detail }) => [subject, detail['median'], detail['others']])
  expect(found).toEqual(swarm.map(({ hostId }) => [hostId, 0.25, 3]))
})

test("an owner's voice is the median of its Hosts", () => {
  const mixed = [200, 300, 700].map((generatedTokens, index) =>
    counts(`m${index}`, { accountId: 'mixed', generatedTokens, textBytes: 1_000 }),
  )
  const seen = inflatedCounts([...mixed, counts('b'), counts('a', { generatedTokens: 2_000 })], NOW)
  // For a, the others are 0.25 and 0.3; for the third Host of mixed, they are 0.25 and 0.5.
  expect(seen.map(({ subject, detail }) => [subject, detail['median'], detail['others']])).toEqual([
    ['m2', 0.375, 2],
    ['a', 0.275, 2],
  ])
})

test('evidence is numbers, and its id is the same all day', () => {
  const rows = [counts('a', { generatedTokens: 2_000 }), ...others]
  const ids = [NOW, NOW + 60_000, NOW + 86_400_000].map((now) => inflatedCounts(rows, now)[0]?.id)
  expect(ids).toEqual([
    'inflated_counts:a:public:nano:generated:2026-11-22',
    'inflated_counts:a:public:nano:generated:2026-11-22',
    'inflated_counts:a:public:nano:generated:2026-11-23',
  ])
  expect(inflatedCounts(rows, NOW)[0]?.detail).toEqual({
    network: 'public',
    model: 'nano',
    measure: 'generated',
    jobs: 20,
    tokens: 2_000,
    bytes: 4_000,
    tokensPerByte: 0.5,
    median: 0.25,
    others: 2,
  })
})

test('24 full hours count, and the running one', () => {
  expect(countsSince(NOW)).toBe(Date.UTC(2026, 10, 21, 13))
})
