import type { BodySeed } from './body-seeds.ts'
import type { Headers } from './http-headers.ts'
import { encoded } from './http-target.ts'
import { damagedText, jsonText, mutated } from './mutate-json.ts'
import { oddString } from './odd-values.ts'
import type { Random } from './random.ts'

/** Larger than any body that is read. */
const HUGE_BYTES = 5 * 1024 * 1024
const MOST_BYTES = 100_000

/** The type that the body has, or another. */
export function contentType(seed: BodySeed, random: Random): Headers {
  const right = seed.kind === 'json' ? 'application/json' : 'application/x-www-form-urlencoded'
  return random.weighted<() => Headers>([
    [92, () => [['content-type', right]]],
    [3, () => []],
    [
      2,
      () => [
        [
          'content-type',
          random.pick([
            'text/plain',
            'multipart/form-data',
            'application/json; charset=utf-16',
            `${right};charset=utf-8`,
          ]),
        ],
      ],
    ],
    [1, () => [['content-type', oddString(random).replaceAll(/[\r\n]/g, ' ')]]],
    [
      1,
      () => [
        ['content-type', right],
        ['content-encoding', 'gzip'],
      ],
    ],
    [
      1,
      () => [
        ['content-type', right],
        ['content-type', 'text/plain'],
      ],
    ],
  ])()
}

/** The body of the route, good or not. */
export function bodyOf(seed: BodySeed, random: Random): Buffer {
  if (random.chance(0.001)) return Buffer.alloc(HUGE_BYTES, random.pick([' ', '[', '"a", ']))
  if (seed.kind === 'form') return formBody(seed.fields, random)
  return random.weighted<() => Buffer>([
    [55, () => Buffer.from(jsonText(seed.value))],
    [35, () => mutatedBody(seed.value, random)],
    [10, () => damagedText(jsonText(seed.value), random)],
  ])()
}

/** Faults upon faults can grow a body to megabytes: some are enough. */
function mutatedBody(value: unknown, random: Random): Buffer {
  const bytes = Buffer.from(jsonText(mutated(value, random)))
  return bytes.length > MOST_BYTES && random.chance(0.95) ? Buffer.from(jsonText(value)) : bytes
}

function formBody(fields: readonly (readonly [string, string])[], random: Random): Buffer {
  const text = (pairs: readonly (readonly [string, string])[]): string =>
    pairs.map(([name, value]) => `${encoded(name)}=${encoded(value)}`).join('&')
  return random.weighted<() => Buffer>([
    [55, () => Buffer.from(text(fields))],
    [12, () => Buffer.from(text([...fields, random.pick(fields) ?? ['a', 'b']]))],
    [12, () => Buffer.from(text(fields.filter(() => random.chance(0.6))))],
    [
      12,
      () =>
        Buffer.from(
          text(fields.map(([name, value]) => [name, random.chance(0.5) ? oddString(random) : value])),
        ),
    ],
    [9, () => damagedText(text(fields), random)],
  ])()
}

/** How the length of the body is told, now and then wrongly. */
export function framing(
  body: Buffer | undefined,
  random: Random,
): { headers: Headers; body: Buffer; malformed: boolean } {
  const bytes = body ?? Buffer.alloc(0)
  const length = (size: number): Headers => [['content-length', String(size)]]
  const honest = { headers: body === undefined ? [] : length(bytes.length), body: bytes, malformed: false }
  if (body === undefined || random.chance(0.96)) return honest
  const chunk = (size: string, content: Buffer): Buffer =>
    Buffer.concat([Buffer.from(`${size}\r\n`), content, Buffer.from('\r\n')])
  const chunked: Headers = [['transfer-encoding', 'chunked']]
  const last = Buffer.from('0\r\n\r\n')
  const whole = bytes.length === 0 ? last : Buffer.concat([chunk(bytes.length.toString(16), bytes), last])
  switch (random.below(8)) {
    case 0:
    case 1:
    case 2:
      return { headers: chunked, body: whole, malformed: false }
    case 3:
      return { headers: length(bytes.length + 10), body: bytes, malformed: true }
    case 4:
      return { headers: length(Math.max(0, bytes.length - 5)), body: bytes, malformed: true }
    case 5:
      return {
        headers: [['content-length', random.pick(['-1', 'x', '1e3', '99999999999999999999', '0x10', ''])]],
        body: bytes,
        malformed: true,
      }
    case 6:
      return { headers: [...length(bytes.length), ...chunked], body: whole, malformed: true }
    default:
      return { headers: chunked, body: chunk('zz', bytes), malformed: true }
  }
}
