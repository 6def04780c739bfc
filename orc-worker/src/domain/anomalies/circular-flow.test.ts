import { expect, test } from 'vitest'
import { type Flow, circularFlows, flowsSince } from './circular-flow.ts'

const NOW = Date.UTC(2026, 10, 22, 13, 30)

/** `a>b 1000, b>a 1000` as flows. */
function flows(text: string): Flow[] {
  return text.split(', ').map((part) => {
    const [, payer = '', payee = '', credits = ''] = /^(\w+)>(\w+) (\d+)$/.exec(part) ?? []
    return { payer, payee, credits: Number(credits) }
  })
}

test.for<[string, string, readonly string[]]>([
  ['two that pay each other', 'a>b 1000, b>a 1000', ['a>b']],
  ['one credit below the floor is none', 'a>b 1000, b>a 999', []],
  ['half of the largest comes back', 'a>b 2000, b>a 1000', ['a>b']],
  ['less than half is none', 'a>b 2001, b>a 1000', []],
  ['three', 'c>a 1500, a>b 1000, b>c 2000', ['a>b>c']],
  ['four', 'd>b 1000, b>a 1000, a>c 1000, c>d 1000', ['a>c>d>b']],
  ['five are too many', 'a>b 1000, b>c 1000, c>d 1000, d>e 1000, e>a 1000', []],
  ['a line is none', 'a>b 1000, b>c 1000, c>d 1000', []],
  [
    'both ways round are two',
    'a>b 1000, b>c 1000, c>a 1000, a>c 1200, c>b 1200, b>a 1200',
    ['a>b', 'a>b>c', 'a>c', 'a>c>b', 'b>c'],
  ],
  ['a circle is not found again from within', 'x>a 1000, a>b 1000, b>c 1000, c>b 1000', ['b>c']],
  ['circles apart', 'a>b 1000, b>a 1000, c>d 5000, d>c 5000', ['a>b', 'c>d']],
  ['paying oneself is none', 'a>a 5000', []],
  ['an uneven shortcut does not hide an even circle', 'a>b 1000, b>a 9000, b>c 1000, c>a 1000', ['a>b>c']],
])('circles: %s', ([, text, expected]) => {
  const seen = circularFlows(flows(text), NOW)
  expect(seen.map(({ detail }) => (detail['accounts'] as string[]).join('>')).toSorted()).toEqual(expected)
})

test('the smallest account stands for the circle, and the evidence says who paid what', () => {
  expect(circularFlows(flows('b>c 1200, c>a 1100, a>b 1000'), NOW)).toEqual([
    {
      id: 'circular_flow:a>b>c:2026-11-22',
      kind: 'circular_flow',
      subject: 'a',
      seenAt: NOW,
      detail: { accounts: ['a', 'b', 'c'], credits: [1000, 1200, 1100] },
    },
  ])
  expect(flowsSince(NOW)).toBe(NOW - 86_400_000)
})

test('where everybody pays everybody the work is bounded, and the largest circle is among what is found', () => {
  const names = Array.from({ length: 120 }, (_, index) => `acc${String(index).padStart(3, '0')}`)
  const everybody = names.flatMap((payer) =>
    names.filter((payee) => payee !== payer).map((payee) => ({ payer, payee, credits: 5_000 })),
  )
  const seen = circularFlows([...everybody, ...flows('y>z 9000, z>y 9000')], NOW)
  // The largest 2,000 flows are those of 17 payers, of which each stands for five circles, and the two last ones.
  expect(seen.filter(({ subject }) => subject === 'y')).toHaveLength(1)
  expect(seen.length).toBeGreaterThan(1)
  expect(seen.length).toBeLessThanOrEqual(17 * 5 + 1)
  expect(new Set(seen.map(({ id }) => id)).size).toBe(seen.length)
})
