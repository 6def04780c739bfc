import type { Session } from '@daisi/protocol/consumer'
import { Daisi } from 'daisi-sdk'
import { connectDirect } from 'daisi-sdk/direct'
import OpenAI from 'openai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type DirectHost, startDirectHost } from './support/direct.ts'
import { type Network, startNetwork } from './support/network.ts'
import { repository } from './support/paths.ts'
import { found, type Named, newNamed, shapeOf } from './support/people.ts'
import { RecordingProxy } from './support/recording-proxy.ts'
import { claimsOf, compactTokens, withTokensDecoded } from './support/tokens.ts'

/** The Orc sees the two sides at addresses of their own. Only Linux has all of 127.0.0.0/8. */
const isLinux = process.platform === 'linux'
const CONSUMER_ADDRESS = isLinux ? '127.0.0.2' : '127.0.0.1'
const HOST_ADDRESS = isLinux ? '127.0.0.3' : '127.0.0.1'
const MODEL = 'daisi-nano'
const REQUEST = { model: MODEL, temperature: 0, messages: [{ role: 'user', content: 'Hello' }] } as const

/** Headers that every `fetch` of Node sends by itself. */
const OF_FETCH = new Set([
  'host',
  'connection',
  'accept-language',
  'sec-fetch-mode',
  'user-agent',
  'accept-encoding',
  'content-length',
])

let network: Network
let consumer: Named
let owner: Named
/** Between the Consumer and the Orc, and between the Host and the Orc. */
let consumerWay: RecordingProxy
let hostWay: RecordingProxy
let direct: DirectHost

beforeAll(async () => {
  network = await startNetwork()
  consumer = await newNamed(network, 'zanzibar')
  owner = await newNamed(network, 'okapi')
  consumerWay = await RecordingProxy.start(network.orc.port, CONSUMER_ADDRESS)
  hostWay = await RecordingProxy.start(network.orc.port, HOST_ADDRESS)
  direct = await startDirectHost(network, {
    orcUrl: hostWay.url,
    owner: owner.account,
    args: ['--name', 'okapi-basement'],
  })
})
afterAll(async () => {
  for (const way of [consumerWay, hostWay, direct?.way]) await way?.[Symbol.asyncDispose]()
  await network?.stop()
})

function clients(): { openai: OpenAI; daisi: Daisi } {
  const options = { baseURL: `${consumerWay.url}/v1`, apiKey: consumer.key.key, maxRetries: 0 }
  return { openai: new OpenAI(options), daisi: new Daisi(options) }
}

/** What a Host was sent as `type`, or at all, parsed. */
function received(type: string | undefined, way = hostWay): Record<string, unknown>[] {
  // What is left out are the answers to pings.
  const texts = way.receivedMessages.filter((text) => text.startsWith('{'))
  const messages = texts.map((text) => JSON.parse(text) as Record<string, unknown>)
  return messages.filter((message) => type === undefined || message['type'] === type)
}

/** The claims of every Session token that came with a Job. */
function sessionClaims(way = hostWay): Readonly<Record<string, unknown>>[] {
  return received('run', way).map(({ sessionToken }) => claimsOf(String(sessionToken)))
}

/** What no Consumer may learn of a Host; of its id it learns in a Direct Connection only. */
function hostTraces(): string[] {
  return [...owner.traces, ...(isLinux ? [HOST_ADDRESS] : []), repository, direct.host.stateDir]
}

test('through the Orc neither side is sent anything that says who the other is', async () => {
  const { openai, daisi } = clients()
  const session = await daisi.sessions.create({ budget: 10_000 })
  await openai.chat.completions.create({ ...REQUEST, messages: [...REQUEST.messages], user: 'someone' })
  await daisi.withSession(session).chat.create(REQUEST)
  await (await daisi.chat.stream(REQUEST)).final()
  await daisi.models.list()
  await daisi.usage.get()
  await daisi.sessions.close(session.id)

  const atHost = withTokensDecoded(hostWay.received)
  expect(received('run')).toHaveLength(3)
  expect(atHost).not.toMatch(/content-encoding/i)
  const ofConsumer = [...consumer.traces, session.id, 'someone', ...(isLinux ? [CONSUMER_ADDRESS] : [])]
  expect(found(ofConsumer, atHost)).toEqual([])
  // The search itself finds what is there.
  expect(found([network.orc.url, 'okapi', '"Hello"', direct.host.hostId], atHost)).toContain('"Hello"')

  const atConsumer = withTokensDecoded(consumerWay.received)
  expect(atConsumer).not.toMatch(/content-encoding/i)
  const ofHost = [...hostTraces(), direct.host.hostId, direct.way.url, `:${direct.way.port}`]
  expect(found(ofHost, atConsumer)).toEqual([])
  expect(found([session.id, MODEL], atConsumer)).toHaveLength(2)
})

test('[T1, J1] a Host gets these fields and no others', async () => {
  const { daisi } = clients()
  await (await daisi.chat.stream(REQUEST)).final()
  const payload = {
    messages: [{ role: 'string', content: 'string' }],
    sampling: { temperature: 'number', maxTokens: 'number', stop: [] },
  }
  for (const run of received('run')) {
    expect(shapeOf(run)).toEqual({
      type: 'string',
      jobId: 'string',
      kind: 'string',
      model: { id: 'string', sha256: 'string' },
      sessionToken: 'string',
      sealed: 'boolean',
      payload,
      windowBytes: 'number',
    })
  }
  const token = { iss: 'string', aud: 'string', sub: 'string', sid: 'string', jti: 'string', iat: 'number' }
  const terms = { exp: 'number', net: 'string', mode: 'string', budget: 'number' }
  for (const claims of sessionClaims()) expect(shapeOf(claims)).toEqual({ ...token, ...terms })
  const types = received(undefined).map((message) => String(message['type']))
  expect(types.filter((type) => !['welcome', 'run', 'credit'].includes(type))).toEqual([])
  const [welcome = {}] = received('welcome')
  expect(Object.keys(welcome).join(' ')).toBe('type protocol hostId alias issuer networks resume agent')
})

test('a Consumer gets these fields and no others', async () => {
  const response = await fetch(`${consumerWay.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${consumer.key.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ...REQUEST, stream: true, stream_options: { include_usage: true } }),
  })
  const events = (await response.text()).matchAll(/^data: (\{.*)$/gm)
  const fields = new Set<string>()
  for (const [, event = ''] of events) {
    const { choices, ...rest } = JSON.parse(event) as { choices: object[] }
    for (const name of Object.keys(rest)) fields.add(name)
    for (const choice of choices) for (const name of Object.keys(choice)) fields.add(`choice ${name}`)
  }
  expect([...fields].sort().join(', ')).toBe(
    'choice delta, choice finish_reason, choice index, choice logprobs, created, id, model, object, usage',
  )
  expect([...response.headers.keys()].join(' ')).toBe(
    'access-control-allow-origin access-control-expose-headers cache-control content-type daisi-host date transfer-encoding x-accel-buffering x-request-id',
  )
  const { daisi } = clients()
  const whole = await daisi.chat.create(REQUEST)
  expect(Object.keys(whole).sort().join(' ')).toBe('choices created id model object usage')
  const session = await daisi.sessions.create({})
  expect(Object.keys(session).sort().join(' ')).toBe('budget expires_at id mode network object status usage')
})

test('[T1] a Consumer has another name in each Session and at each Host', async () => {
  const way = await RecordingProxy.start(network.orc.port)
  const other = await network.startedHost({ orcUrl: way.url, model: 'other' })
  const { daisi } = clients()
  const [first, second] = [await daisi.sessions.create({}), await daisi.sessions.create({})]
  const before = sessionClaims().length
  for (const { id } of [first, first, second]) await daisi.chat.create(REQUEST, { session: id })
  await daisi.chat.create({ ...REQUEST, model: 'other' }, { session: first.id })
  const [a1, a2, b] = sessionClaims().slice(before)
  const [elsewhere] = sessionClaims(way)
  for (const name of ['sub', 'sid']) {
    expect(a1?.[name]).toBe(a2?.[name])
    expect(new Set([a1?.[name], b?.[name], elsewhere?.[name]]).size).toBe(3)
  }
  expect(new Set([a1, a2, b, elsewhere].map((claims) => claims?.['jti'])).size).toBe(4)
  await other.end('SIGTERM')
  await way.close()
})

test('[D1, D2] in a Direct Connection the two learn addresses and the Host’s id, and nothing else of each other', async () => {
  const { daisi } = clients()
  const connection = await connectDirect(daisi, { model: MODEL })
  await connection.chat.create(REQUEST)
  expect(connection.mode).toBe('direct')
  await connection.close()
  const answer =
    /HTTP\/1\.1 201 [^{]*(\{"id":"ses_.*"mode":"direct".*\})/.exec(consumerWay.received)?.[1] ?? ''
  const session = JSON.parse(answer) as Session
  expect(
    Object.keys(session.direct ?? {})
      .sort()
      .join(' '),
  ).toBe('budget certificate_sha256 endpoint expires_at host_alias host_id model object session_id token')

  const wire = direct.way.sent
  expect(found([...consumer.traces, session.id], withTokensDecoded(wire + hostWay.received))).toEqual([])
  expect(found(hostTraces(), withTokensDecoded(consumerWay.received + direct.way.received))).toEqual([])
  expect(session.direct?.host_id).toBe(direct.host.hostId)

  const claims = compactTokens(wire).map((jws) => Object.keys(claimsOf(jws)).sort().join(' '))
  expect(new Set(claims)).toEqual(
    new Set([
      'aud budget cnf exp iat iss jti mode model net sid sub',
      'ath body htm htu iat jti',
      'aud cachedTokens generatedTokens iat jobId promptTokens sid',
    ]),
  )
  // A Host names no maker and no owner in its answers.
  expect(direct.way.received).not.toMatch(/^(?:server|via|x-powered-by):/im)
  const chat = wire.split('POST ').find((request) => request.startsWith('/v1/chat/completions')) ?? ''
  const names = [...(chat.split('\r\n\r\n')[0] ?? '').matchAll(/^([\w-]+): /gm)].map(([, name = '']) =>
    name.toLowerCase(),
  )
  expect(names.filter((name) => !OF_FETCH.has(name)).sort()).toEqual([
    'accept',
    'authorization',
    'content-type',
    'dpop',
  ])
})
