import type { Route } from '../../orc-worker/src/routes/table.ts'
import type { Cast } from './cast.ts'
import { damaged, oddString } from './odd-values.ts'
import type { Random } from './random.ts'

/** The address of the route with its parameters filled in, and its faults. */
export function targetOf({ path, method }: Route, cast: Cast, random: Random): string {
  const filled = path.replaceAll(/:(\w+)(\{[^}]*\})?/g, (_, name: string) =>
    parameter(path, name, cast, random),
  )
  const odd = random.chance(0.04) ? oddPath(filled, random) : filled
  return odd.replaceAll(/[\r\n ]/g, encodeURIComponent) + query(path, method, cast, random)
}

function parameter(path: string, name: string, cast: Cast, random: Random): string {
  const kind = path.startsWith('/api/me/sessions') ? 'loginSession' : name
  const [own, other] = cast.ids[kind] ?? ['nothing', 'nothing']
  return random.weighted<() => string>([
    [65, () => own],
    [12, () => other],
    [4, () => random.pick(Object.values(cast.ids))[1]],
    [5, () => damaged(own, random)],
    [7, () => encoded(oddString(random))],
    [4, () => oddString(random)],
    [
      3,
      () =>
        random.pick([
          '%00',
          '%2f',
          '%2e%2e',
          '..',
          '%',
          '%zz',
          '%ff',
          '%c0%af',
          '%ed%a0%80',
          'a%00b',
          '%0d%0ax:y',
        ]),
    ],
  ])()
}

function oddPath(path: string, random: Random): string {
  switch (random.below(8)) {
    case 0:
      return `${path}/`
    case 1:
      return path.replaceAll('/', '//')
    case 2:
      return path.toUpperCase()
    case 3:
      return `/x/..${path}`
    case 4:
      return path.replace(/\w/, (letter) => `%${(letter.codePointAt(0) ?? 0).toString(16)}`)
    case 5:
      return `${path}/${encoded(oddString(random))}`
    case 6:
      return `http://other.example${path}`
    default:
      return `${path}${'/a'.repeat(random.pick([2, 500, 5_000]))}`
  }
}

const QUERY_NAMES = [
  'cursor',
  'limit',
  'show',
  'format',
  'by',
  'from',
  'to',
  'status',
  'user_code',
  'return_to',
  'code',
  'state',
  'error',
]
const QUERY_VALUES = [
  '1',
  '10',
  '0',
  '99999999999999999999',
  'all',
  'csv',
  'json',
  'app',
  'key',
  'model',
  'host',
  'day',
  '2026-01-01',
  '2026-12-31',
  '9999-12-31',
  'open',
  '/device',
  '//evil.example',
  '%2f%2fevil',
  '/\\evil',
]

function query(path: string, method: string, cast: Cast, random: Random): string {
  if (!random.chance(method === 'GET' ? 0.5 : 0.05)) return ''
  const pairs = Array.from({ length: 1 + random.below(3) }, () => {
    const value = random.chance(0.7)
      ? random.pick([...QUERY_VALUES, cast.things.userCode])
      : encoded(oddString(random))
    return `${random.chance(0.95) ? random.pick(QUERY_NAMES) : encoded(oddString(random))}=${value}`
  })
  return `?${pairs.join(random.chance(0.97) ? '&' : '&&?')}`
}

/** Percent-encoded; what is no text stays as it is. */
export function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed())
}
