import { expect, test } from 'vitest'
import { deriveKeys } from './derived-keys.ts'
import { newUserCode, readUserCode, userCodeMac } from './user-code.ts'

test('a code has eight letters in two groups, every letter as likely as the others', () => {
  const counts = new Map<string, number>()
  const codes = 4_000
  for (let index = 0; index < codes; index++) {
    const code = newUserCode()
    expect(code).toMatch(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/)
    for (const letter of code.replace('-', '')) counts.set(letter, (counts.get(letter) ?? 0) + 1)
  }
  const expected = (codes * 8) / 20
  // Chi-squared with 19 degrees of freedom: a fair draw stays below 60 but once in 200,000 runs, modulo 20 of a byte does not.
  const chi = [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
  expect(counts.size).toBe(20)
  expect(chi).toBeLessThan(60)
})

test.for([
  'BCDF-GHJK',
  'bcdf-ghjk',
  'bcdfghjk',
  ' BCDF GHJK ',
  'b-c-d-f-g-h-j-k',
  'BCDF–GHJK',
  'BCDF — GHJK',
])('%s is read whatever its case, dashes and spaces', (typed) => expect(readUserCode(typed)).toBe('BCDFGHJK'))

test.for([
  '',
  'BCDF',
  'BCDFGHJKL',
  'ABCDEFGH',
  'BCDF_GHJK',
  'BCDFGHJ1',
  `BCDF${' '.repeat(70)}GHJK`,
  'BCDFGHJſ',
])('%s is no code', (typed) => expect(readUserCode(typed)).toBeUndefined())

test('what is stored of a code needs the key of the Orc', async () => {
  const [ours, theirs] = [await deriveKeys('A'.repeat(43)), await deriveKeys('B'.repeat(43))]
  const mac = await userCodeMac('BCDFGHJK', ours.userCodeMac)
  expect(await userCodeMac('BCDFGHJK', ours.userCodeMac)).toBe(mac)
  expect(await userCodeMac('BCDFGHJK', theirs.userCodeMac)).not.toBe(mac)
  expect(await userCodeMac('BCDFGHJK', ours.challengeMac)).not.toBe(mac)
})
