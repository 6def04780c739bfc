import type { Route } from '../../orc-worker/src/routes/table.ts'
import { type Cast, LOGIN_COOKIE } from './cast.ts'
import { damaged, oddString } from './odd-values.ts'
import type { Random } from './random.ts'

/** The fields of a request, in order and as often as they are sent. */
export type Headers = (readonly [name: string, value: string])[]

const PAGES = new Set(['/login', '/device'])

/** The credential that the route asks for, and its faults. */
export function credentials({ access, path }: Route, cast: Cast, random: Random): Headers {
  const tokens = Object.values(cast.tokens)
  const right = ((): Headers => {
    switch (access) {
      case 'consumer':
        return bearer(
          random.weighted([
            [85, cast.tokens.key],
            [8, cast.tokens.browserToken],
            [7, cast.tokens.narrowKey],
          ] as const),
        )
      case 'setup':
        return bearer(cast.tokens.setup)
      case 'operator':
        return cookie(cast.cookies.operator)
      case 'user':
        return cookie(cast.cookies.owner)
      case 'host':
        return path.endsWith('connect') ? [...bearer(cast.things.connectProof), ...upgrade(random)] : []
      case 'public':
        return []
      case 'viewer':
      case 'member':
      case 'admin':
      case 'owner':
        if (random.chance(0.7)) return bearer(cast.tokens.account)
        return [
          ...cookie(cast.cookies.owner),
          ...(random.chance(0.3) ? ([['daisi-account', cast.ids['account']?.[0] ?? '']] as const) : []),
        ]
    }
  })()
  const [good] = right
  return random.weighted<() => Headers>([
    [78, () => right],
    [3, () => []],
    [6, () => bearer(random.pick(tokens))],
    [3, () => cookie(random.pick(Object.values(cast.cookies)))],
    [
      4,
      () =>
        good === undefined ? right : [[good[0], good[1].slice(0, 18) + damaged(good[1].slice(18), random)]],
    ],
    [
      1,
      () => [
        ['authorization', random.pick(['Basic ', 'DPoP ', 'bearer  ', 'Bearer\t', '']) + random.pick(tokens)],
      ],
    ],
    [1, () => [...right, ...right]],
    [1, () => [...bearer(random.pick(tokens)), ...cookie(cast.cookies.owner)]],
    [1, () => [['authorization', oddString(random).replaceAll(/[\r\n]/g, ' ')]]],
    [
      1,
      () => [
        [
          'cookie',
          `${LOGIN_COOKIE}=${oddString(random).replaceAll(/[\r\n]/g, ' ')}; x; =; ${LOGIN_COOKIE}=${cast.cookies.owner}`,
        ],
      ],
    ],
    [1, () => bearer('x'.repeat(random.pick([100, 8_192, 8_193, 12_000])))],
  ])()
}

function bearer(token: string): Headers {
  return [['authorization', `Bearer ${token}`]]
}

function cookie(value: string): Headers {
  return [['cookie', `${LOGIN_COOKIE}=${value}`]]
}

function upgrade(random: Random): Headers {
  const all: Headers = [
    ['upgrade', 'websocket'],
    ['connection', 'Upgrade'],
    ['sec-websocket-version', '13'],
    ['sec-websocket-key', 'dGhlIHNhbXBsZSBub25jZQ=='],
    ['sec-websocket-protocol', 'daisi-host.v1'],
  ]
  return all.filter(() => random.chance(0.8))
}

/** Where a browser would say that it comes from. */
export function originOf({ method, path }: Route, origin: string, random: Random): Headers {
  if (method === 'GET' && !random.chance(0.1)) return []
  const isPage = PAGES.has(path) || path.startsWith('/login')
  return random.weighted<() => Headers>([
    [isPage ? 90 : 75, () => [['origin', origin]]],
    [15, () => []],
    [3, () => [['origin', 'https://evil.example']]],
    [2, () => [['origin', 'null']]],
    [2, () => [['sec-fetch-site', random.pick(['same-origin', 'cross-site', 'none', ''])]]],
  ])()
}

/** What else may stand there. */
export function oddHeaders(cast: Cast, random: Random): Headers {
  const headers: Headers = []
  const add = (share: number, name: string, value: () => string): void => {
    if (random.chance(share)) headers.push([name, value().replaceAll(/[\r\n]/g, ' ')])
  }
  add(0.06, 'idempotency-key', () =>
    random.pick([random.hex(16), 'same', oddString(random), 'k'.repeat(256)]),
  )
  add(0.04, 'daisi-network', () =>
    random.pick([
      'public',
      cast.ids['network']?.[0] ?? '',
      cast.ids['network']?.[1] ?? '',
      oddString(random),
    ]),
  )
  add(0.04, 'daisi-session', () =>
    random.pick([cast.ids['session']?.[0] ?? '', cast.ids['session']?.[1] ?? '', oddString(random)]),
  )
  add(0.02, 'daisi-host', () => random.pick(['calm-heron-3f9a1c', oddString(random)]))
  add(0.02, 'daisi-exclude-hosts', () => random.pick(['calm-heron-3f9a1c, a', ',', oddString(random)]))
  add(0.02, 'daisi-wait', () => random.pick(['0', '0.1', '1e9', '-1', oddString(random)]))
  add(0.02, 'daisi-mode', () => random.pick(['orchestrated', 'direct', oddString(random)]))
  add(0.02, 'x-client-request-id', () => random.pick(['mine', oddString(random)]))
  add(0.02, 'daisi-account', () => random.pick([cast.ids['account']?.[1] ?? '', oddString(random)]))
  add(0.03, 'accept', () => random.pick(['text/csv', 'text/html', '*/*', oddString(random)]))
  add(0.02, 'user-agent', () => oddString(random))
  add(0.02, 'cf-connecting-ip', () => random.pick(['1.2.3.4', '::1', oddString(random)]))
  add(0.02, 'x-forwarded-for', () => '10.0.0.1')
  add(0.01, 'upgrade', () => 'websocket')
  add(0.01, 'expect', () => '100-continue')
  add(0.01, 'x-filler', () => 'f'.repeat(random.pick([100, 4_000, 20_000, 100_000])))
  add(0.01, 'host', () => 'other.example')
  add(0.01, 'connection', () => random.pick(['close', 'keep-alive', 'authorization']))
  return headers
}
