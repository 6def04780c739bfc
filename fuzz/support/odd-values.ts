import type { Random } from './random.ts'

/** Text that software tends to stumble over. */
const ODD_STRINGS: readonly string[] = [
  '',
  ' ',
  '.',
  '..',
  '0',
  '-1',
  'null',
  'undefined',
  'NaN',
  'true',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  "' OR 1=1 --",
  '"; DROP TABLE accounts; --',
  '%',
  '_%',
  '\u0000',
  'a\u0000b',
  '\u001b[31m',
  '\r\nset-cookie: x=y',
  '\ud800',
  '\udfff\ud800',
  '\u202e',
  '\ufeff',
  '\uffff',
  'ß',
  'İ',
  '🦙',
  'e\u0301',
  '<script>alert(1)</script>',
  '${7*7}',
  '{{7*7}}',
  '../../etc/passwd',
  '..%2f..%2f',
  '/',
  '//',
  '\\',
  'public',
  'PUBLIC',
  'a b',
  '1e999',
  '9007199254740993',
  '-0',
  'http://127.0.0.1:1/',
  'javascript:alert(1)',
  '2026-02-30',
]

const ODD_NUMBERS: readonly number[] = [
  0,
  -0,
  -1,
  1,
  0.5,
  1e-323,
  60,
  64,
  2 ** 31,
  -(2 ** 31),
  2 ** 32,
  Number.MAX_SAFE_INTEGER,
  Number.MAX_SAFE_INTEGER + 1,
  Number.MIN_SAFE_INTEGER,
  1e21,
  1e308,
  -1e308,
]

/** An odd string; now and then a long one. */
export function oddString(random: Random): string {
  if (random.chance(0.06))
    return random.pick(['a', '🦙', '\u0000', '%', '"', '\\']).repeat(random.pick([65, 257, 1_025, 8_193]))
  if (random.chance(0.1)) return random.bytes(random.below(40)).toString('latin1')
  return random.pick(ODD_STRINGS)
}

export function oddNumber(random: Random): number {
  return random.pick(ODD_NUMBERS)
}

/** A value of any JSON type. */
export function oddValue(random: Random): unknown {
  switch (random.below(9)) {
    case 0:
      return null
    case 1:
      return random.chance(0.5)
    case 2:
    case 3:
      return oddNumber(random)
    case 4:
      return []
    case 5:
      return {}
    case 6:
      return [oddString(random), oddNumber(random), null, {}]
    case 7:
      return { [oddString(random)]: oddString(random) }
    default:
      return oddString(random)
  }
}

/** The text with one small fault: a character changed, added, taken away, or the end cut off. */
export function damaged(text: string, random: Random): string {
  const at = random.below(text.length)
  const before = text.slice(0, at)
  switch (random.below(6)) {
    case 0:
      return before
    case 1:
      return before + text.slice(at + 1)
    case 2:
      return `${before}A${text.slice(at)}`
    case 3:
      return text.toUpperCase()
    case 4:
      return text.repeat(random.pick([2, 100]))
    default:
      return before + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1)
  }
}
