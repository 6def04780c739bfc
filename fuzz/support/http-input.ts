import { type Route, routes } from '../../orc-worker/src/routes/table.ts'
import { bodySeed } from './body-seeds.ts'
import type { Cast } from './cast.ts'
import { bodyOf, contentType, framing } from './http-body.ts'
import { type Headers, credentials, oddHeaders, originOf } from './http-headers.ts'
import { targetOf } from './http-target.ts'
import { Random } from './random.ts'

/** One request, down to its bytes. */
export interface HttpInput {
  readonly method: string
  /** The request line's target. */
  readonly target: string
  readonly headers: Readonly<Headers>
  readonly body: Buffer
  /** No client that follows HTTP sends this; workerd itself may answer it, or hang up. */
  readonly malformed: boolean
}

/** The batch of inputs that share a cast. */
export const BATCH = 250
const TAKES_AWAY = /\/account\/token$|\/logout$|\/login\/end$|^DELETE|\/freezes$|\/rotate$|^PATCH \/api\/keys/
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']
const ODD_METHODS = ['TRACE', 'get', 'FOO', 'PROPFIND', 'CONNECT', '']

/** The input of this number. The same for the same seed, but for what the cast fills in. */
export function httpInput(seed: number, index: number, cast: Cast, origin: string): HttpInput {
  const random = new Random(seed, 'http', index)
  const route = routeOf(random)
  const name = `${route.method} ${route.path}`
  const method = random.weighted([
    [90, route.method],
    [8, random.pick(METHODS)],
    [2, random.pick(ODD_METHODS)],
  ] as const)
  const target = targetOf(route, cast, random)
  const host = random.chance(0.99)
    ? new URL(origin).host
    : random.pick(['', 'a b', '%', '[::1', 'x:99999', 'other.example'])
  const headers: Headers = [['host', host], ...credentials(route, cast, random)]
  headers.push(...originOf(route, origin, random), ...oddHeaders(cast, random))
  const bodyless = route.method === 'GET' || (route.method === 'DELETE' && random.chance(0.8))
  const seedBody = bodySeed(name, cast, random)
  const body = bodyless && random.chance(0.97) ? undefined : bodyOf(seedBody, random)
  if (body !== undefined) headers.push(...contentType(seedBody, random))
  const framed = framing(body, random)
  headers.push(...framed.headers)
  const text = `${method}${target}${headers.flat().join('')}`
  const malformed =
    framed.malformed ||
    host === '' ||
    /[^ -~]/.test(text) ||
    /[^\w\-.~:/?#[\]@!$&'()*+,;=%]/.test(target) ||
    !METHODS.includes(method) ||
    !target.startsWith('/') ||
    Buffer.byteLength(text) > 14_000
  return { method, target, headers, body: framed.body, malformed }
}

/** The bytes of the request. Text outside of ASCII goes as UTF-8. */
export function bytesOf({ method, target, headers, body }: HttpInput): Buffer {
  const head = `${method} ${target} HTTP/1.1\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
  return Buffer.concat([Buffer.from(head), body])
}

/** How to send nearly the same from a shell. */
export function asCurl({ method, target, headers, body }: HttpInput, origin: string): string {
  const quoted = (text: string): string =>
    `$'${text.replaceAll(/[\\']/g, String.raw`\$&`).replaceAll(/[^\x20-\x7e]/g, escaped)}'`
  const [shown, framing] = [false, true].map((isFraming) =>
    headers.filter(([name]) => /^(host|content-length|transfer-encoding)$/i.test(name) === isFraming),
  ) as [Headers, Headers]
  const options = shown.map(([name, value]) => `-H ${quoted(`${name}: ${value}`).slice(0, 600)}`)
  const data = body.length === 0 ? [] : [`--data-binary ${quoted(body.toString('latin1').slice(0, 3_000))}`]
  const more = ` # ${framing.map(([name, value]) => `${name}: ${value}`).join(', ')}; body of ${body.length} bytes`
  return `curl -i --path-as-is -X ${quoted(method)} ${options.join(' ')} ${data.join('')} ${quoted(origin + target.slice(0, 1_000))}${more}`
}

function escaped(character: string): string {
  return [...Buffer.from(character)]
    .map((byte) => String.raw`\x${byte.toString(16).padStart(2, '0')}`)
    .join('')
}

/** Chats more often than the rest; what takes the cast's credentials away, and with them the point of later inputs, less often. */
function routeOf(random: Random): Route {
  if (random.chance(0.05)) return routes.find(({ path }) => path === '/v1/chat/completions') as Route
  const route = random.pick(routes)
  return TAKES_AWAY.test(`${route.method} ${route.path}`) && random.chance(0.85) ? random.pick(routes) : route
}
