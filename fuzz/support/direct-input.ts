import {
  ACKNOWLEDGEMENT_TYPE,
  DIRECT_ACKNOWLEDGE_PATH,
  DIRECT_CHAT_PATH,
  DPOP_TYPE,
} from '../../protocol/src/index.ts'
import { createHash } from 'node:crypto'
import type { DirectConsumer, HeldGrant } from './direct-consumer.ts'
import type { Headers } from './http-headers.ts'
import type { HttpInput } from './http-input.ts'
import { damagedText, jsonText, mutated } from './mutate-json.ts'
import { damaged, oddString } from './odd-values.ts'
import type { Random } from './random.ts'
import { PROMPT_MARK } from './secret-watch.ts'
import { NANO } from './world.ts'

/** A request to a Host's own listener. */
export interface DirectRequest {
  readonly input: HttpInput
  /** Of a chat whose proof is genuine: the Job that it begins. */
  readonly jobId: string | undefined
}

/** A Job that every run names more than once. */
const REPLAYED = `job_${'7'.repeat(32)}`

/** The input of this number: a chat or an acknowledgement, good or with faults. */
export function directInput(random: Random, consumer: DirectConsumer, grant: HeldGrant): DirectRequest {
  return random.chance(0.75) ? chat(random, consumer, grant) : acknowledgement(random, consumer, grant)
}

function chat(random: Random, consumer: DirectConsumer, grant: HeldGrant): DirectRequest {
  const value = {
    model: random.chance(0.95) ? NANO : 'other',
    messages: [{ role: 'user', content: `${PROMPT_MARK} ${random.pick(['Hello', oddString(random)])}` }],
    max_tokens: 1 + random.below(8),
    stream: true,
    ...(random.chance(0.3) ? { temperature: 0, stream_options: { include_usage: true } } : {}),
  }
  const body = random.weighted<() => Buffer>([
    [65, () => Buffer.from(jsonText(value))],
    [27, () => Buffer.from(jsonText(mutated(value, random)))],
    [7, () => damagedText(jsonText(value), random)],
    [1, () => Buffer.alloc(5 * 1024 * 1024, ' ')],
  ])()
  const jobId = random.chance(0.96) ? `job_${random.hex(32)}` : REPLAYED
  const digest = (data: string | Buffer): string => createHash('sha256').update(data).digest('base64url')
  const genuine = {
    jti: jobId,
    htm: 'POST',
    htu: grant.endpoint + DIRECT_CHAT_PATH,
    iat: Math.floor(Date.now() / 1000),
    ath: digest(grant.token),
    body: digest(body),
  }
  const isGenuine = random.chance(0.75)
  const claims = isGenuine ? genuine : mutated(genuine, random)
  const signed = consumer.sign(claims, isGenuine || random.chance(0.7) ? DPOP_TYPE : 'JWT')
  const proof = isGenuine ? signed : random.chance(0.5) ? signed : damaged(signed, random)
  const token = random.chance(0.93) ? grant.token : damaged(grant.token, random)
  const headers: Headers = [
    ['authorization', `${random.chance(0.97) ? 'DPoP' : 'Bearer'} ${token}`],
    ['dpop', proof.slice(0, 12_000)],
  ]
  if (random.chance(0.02)) headers.push(['dpop', proof.slice(0, 4_000)])
  if (random.chance(0.02)) headers.shift()
  headers.push([
    'content-type',
    random.chance(0.96) ? 'application/json' : oddString(random).replaceAll(/[\r\n]/g, ' '),
  ])
  return {
    input: inputOf(random, grant, DIRECT_CHAT_PATH, headers, body),
    jobId: isGenuine ? jobId : undefined,
  }
}

function acknowledgement(random: Random, consumer: DirectConsumer, grant: HeldGrant): DirectRequest {
  const genuine = {
    aud: grant.hostId,
    sid: grant.sessionId,
    jobId: random.pick([REPLAYED, `job_${random.hex(32)}`]),
    promptTokens: random.pick([0, 10, 2 ** 50]),
    cachedTokens: 0,
    generatedTokens: random.pick([0, 4, 2 ** 50]),
    iat: Math.floor(Date.now() / 1000),
  }
  const claims = random.chance(0.5) ? genuine : mutated(genuine, random)
  const signed = consumer.sign(claims, random.chance(0.9) ? ACKNOWLEDGEMENT_TYPE : 'JWT')
  const body = random.weighted<() => Buffer>([
    [60, () => Buffer.from(signed)],
    [30, () => Buffer.from(damaged(signed, random))],
    [10, () => random.bytes(random.below(6_000))],
  ])()
  const headers: Headers = [['content-type', random.chance(0.9) ? 'text/plain' : 'application/json']]
  return { input: inputOf(random, grant, DIRECT_ACKNOWLEDGE_PATH, headers, body), jobId: undefined }
}

function inputOf(random: Random, grant: HeldGrant, path: string, headers: Headers, body: Buffer): HttpInput {
  const method = random.chance(0.95)
    ? 'POST'
    : random.pick(['GET', 'PUT', 'OPTIONS', 'HEAD', 'DELETE', 'FOO'])
  const target = random.chance(0.96)
    ? path
    : random.pick([
        `${path}/`,
        `/${path}`,
        '/',
        `${path}?a=%00`,
        '/../etc/passwd',
        '*',
        `/${encodeURIComponent(oddString(random).toWellFormed())}`,
      ])
  const isHonest = random.chance(0.96)
  const length = isHonest ? body.length : body.length + random.pick([-3, 5])
  const all: Headers = [
    ['host', new URL(grant.endpoint).host],
    ...headers,
    ['content-length', String(length)],
  ]
  if (random.chance(0.03)) all.push(['origin', 'https://evil.example'])
  if (random.chance(0.01)) all.push(['x-filler', 'f'.repeat(random.pick([10_000, 40_000]))])
  const text = all.flat().join('')
  const malformed =
    !isHonest || method === 'FOO' || target === '*' || /[^ -~]/.test(text) || text.length > 12_000
  return { method, target, headers: all, body, malformed }
}
