import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { Blocklist } from './blocklist.ts'
import { TextFinder } from './text-finder.ts'

test.each([
  ['plain', 'secret plan', 'the secret plan of today', true],
  ['another case', 'Secret Plan', 'THE SECRET PLAN', true],
  ['not at all', 'secret plan', 'a secret, and a plan', false],
  ['full width', 'secret', 'ｓｅｃｒｅｔ', true],
  ['a ligature', 'fish', 'ﬁsh', true],
  ['composed and decomposed', 'café', 'cafe\u0301', true],
  ['another letter', 'cafe', 'café', false],
  ['ß and ss', 'Straße', 'STRASSE', true],
  ['sigma at the end', 'ΟΔΟΣ', 'οδος', true],
  ['a soft hyphen and a space of no width', 'secret', 'se\u00ADcr\u200Bet', true],
  ['a line break', 'secret plan', 'secret\n  plan', true],
  ['part of a word', 'cat', 'concatenate', true],
])('%s', (_, entry, text, matches) => {
  expect(new Blocklist([entry]).matches(['something else', text])).toBe(matches)
})

test('an entry of nothing visible matches nothing, and an empty list neither', () => {
  expect(new Blocklist([' ', '\u200B']).matches(['any text'])).toBe(false)
  expect(new Blocklist([]).matches(['any text'])).toBe(false)
})

test.each([
  ['in two orders', '\u0315'.repeat(120_000) + '\u0316'.repeat(120_000)],
  ['in turn', '\u0315\u0316'.repeat(120_000)],
  ['that only become marks', '\uFF9E\u0316'.repeat(120_000)],
  [
    'between which something cannot be seen',
    `${'\u0315'.repeat(29)}\u00AD${'\u0316'.repeat(29)}`.repeat(4_000),
  ],
])('marks %s beyond all measure neither hide a text nor take minutes', (_, marks) => {
  expect(new Blocklist(['secret']).matches([`a${marks} secret`])).toBe(true)
  expect(new Blocklist(['secret']).matches([`a${marks} public`])).toBe(false)
})

test('what is found is what is contained', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 40 })
  const entry = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(fc.array(entry, { minLength: 1, maxLength: 12 }), text, (entries, text) => {
      expect(new TextFinder(entries).isIn(text)).toBe(entries.some((entry) => text.includes(entry)))
    }),
    { numRuns: 500, seed: 1 },
  )
})
