import { env } from 'cloudflare:workers'
import type { KeyCreated, Session } from '@daisi/protocol'
import { describe, expect, test } from 'vitest'
import { hashCredential, mintCredential } from '../src/domain/credential.ts'
import { deriveKeys } from '../src/domain/derived-keys.ts'
import { plainSessionName, sessionStub } from '../src/objects/stubs.ts'
import { type Route, routes } from '../src/routes/table.ts'
import { total } from './support/books.ts'
import { callerWith } from './support/caller.ts'
import { newNetwork } from './support/networks.ts'
import { call, newAccount, newKey } from './support/orc.ts'
import { chat, newScene } from './support/scene.ts'

// No Consumer learns of, uses, closes or bills the Session of another: of another account, or of another key of the same.

interface Answer {
  readonly status: number
  readonly text: string
}

const consumerRoutes = routes.filter(({ access }) => access === 'consumer')
const jwk = { kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43) }

/** A body that each route takes, so that nothing but the Session can be wrong. */
const bodies: Readonly<Record<string, unknown>> = {
  '/v1/chat/completions': { model: 'none', messages: [{ role: 'user', content: 'x' }], max_tokens: 1 },
  '/v1/completions': { model: 'none', prompt: 'x', max_tokens: 1 },
  '/v1/embeddings': { model: 'none', input: 'x' },
  '/v1/responses': { model: 'none', input: 'x', max_output_tokens: 1 },
  '/v1/responses/:path{.+}': {},
  '/v1/messages': { model: 'none', messages: [{ role: 'user', content: 'x' }], max_tokens: 1 },
  '/v1/messages/count_tokens': { model: 'none', messages: [{ role: 'user', content: 'x' }] },
  '/v1/images/generations': { model: 'none', prompt: 'x' },
  '/v1/quote': { request: { model: 'none', messages: [{ role: 'user', content: 'x' }], max_tokens: 1 } },
  '/v1/sessions': {},
  '/v1/sessions/:session/direct': { model: 'none', key: jwk },
  '/v1/tokens': { origins: null },
}

async function openSession({ key }: KeyCreated): Promise<string> {
  const response = await call('POST', '/v1/sessions', { token: key, body: {} })
  return (await response.json<{ id: string }>()).id
}

async function ask({ method, path }: Route, token: string, session: string): Promise<Answer> {
  const isNamed = path.includes(':session')
  const target = path.replace(':session', session).replace('{.+}', '').replaceAll(/:\w+/g, 'something')
  const response = await call(method, target, {
    token,
    ...(method === 'POST' ? { body: bodies[path] ?? {} } : {}),
    headers: isNamed ? {} : { 'daisi-session': session },
  })
  // Anthropic's errors name their request.
  const text = (await response.text()).replaceAll(/req_[0-9a-f]{32}/g, 'req_')
  return { status: response.status, text }
}

/** A Session id that this Orc could have given out, checksum and all, and did not: nothing but the lookup can tell. */
async function unknownSession(): Promise<string> {
  const { credentialMac } = await deriveKeys(env.ORC_SECRET)
  return mintCredential('session-id', credentialMac)
}

test('the routes that take a Session are known here', () => {
  const posts = consumerRoutes.filter(({ method }) => method === 'POST').map(({ path }) => path)
  expect(posts.toSorted()).toEqual(Object.keys(bodies).toSorted())
})

describe.for([
  ['another account', {}],
  ['another key of the account', {}],
  ['a key without the scope of Sessions', { scopes: ['inference'] }],
  ['a key that may only look at usage', { scopes: ['usage'] }],
] as const)('%s', ([who, rights]) => {
  test.for(consumerRoutes.map((route) => [`${route.method} ${route.path}`, route] as const))(
    '[S1] %s',
    async ([, route]) => {
      const account = await newAccount('owner')
      const owner = await newKey(account)
      const isSameAccount = who !== 'another account'
      const stranger = await newKey(isSameAccount ? account : await newAccount('stranger'), rights)
      const session = await openSession(owner)
      const foreign = await ask(route, stranger.key, session)
      const unknown = await ask(route, stranger.key, await unknownSession())
      expect(foreign).toEqual(unknown)
      expect(foreign.status).toBe(404)
      const seen = await call('GET', `/v1/sessions/${session}`, { token: owner.key })
      expect(await seen.json()).toMatchObject({ status: 'open', usage: { jobs: 0 } })
    },
  )
})

test.for(consumerRoutes.map((route) => [`${route.method} ${route.path}`, route] as const))(
  '[S1] a revoked key learns nothing of a Session: %s',
  async ([, route]) => {
    const [owner, account] = [await newKey(await newAccount('owner')), await newAccount('stranger')]
    const stranger = await newKey(account)
    const session = await openSession(owner)
    await call('DELETE', `/api/keys/${stranger.id}`, { token: account.token })
    const foreign = await ask(route, stranger.key, session)
    expect(foreign).toEqual(await ask(route, stranger.key, await unknownSession()))
    expect(foreign.status).toBe(401)
  },
)

test('[S1] a Session of another is neither used nor billed', async () => {
  const scene = await newScene()
  const stranger = await newKey(await newAccount('stranger'))
  const session = await openSession(scene.key)
  const headers = { 'daisi-session': session }
  const refused = await chat({ key: stranger, model: scene.model }, {}, { headers })
  expect(refused.status).toBe(404)
  const answer = chat(scene, {}, { headers })
  await scene.host.serve(['ok'])
  expect((await answer).status).toBe(200)
  const closed = await call('DELETE', `/v1/sessions/${session}`, { token: scene.key.key })
  expect(await closed.json()).toMatchObject({ status: 'closed', usage: { jobs: 1, credits: 11 } })
  expect(await total(scene.consumer)).toBe(10_000 - 11)
})

test('[S1] the usage of one key is not that of another of its account', async () => {
  const scene = await newScene()
  const other = await newKey(scene.consumer)
  const answer = chat(scene)
  await scene.host.serve(['ok'])
  expect((await answer).status).toBe(200)
  const usage = await call('GET', '/v1/usage', { token: other.key })
  expect(await usage.json()).toMatchObject({ totals: { jobs: 0, credits: 0 } })
})

test('[A4, S1] a Session without a Network uses those of its key, and a named one must be among them', async () => {
  const account = await newAccount('owner')
  const [first, second] = [await newNetwork(account), await newNetwork(account)]
  const key = await newKey(account, { networks: [first, second] })
  const open = async (body: unknown): Promise<Session> => {
    const response = await call('POST', '/v1/sessions', { token: key.key, body })
    return response.json()
  }
  const status = async (session: Session, network?: string): Promise<number> => {
    const headers = {
      'daisi-session': session.id,
      ...(network === undefined ? {} : { 'daisi-network': network }),
    }
    const response = await call('GET', '/v1/models', { token: key.key, headers })
    await response.body?.cancel()
    return response.status
  }
  const [everywhere, narrow] = [await open({}), await open({ network: first })]
  expect([everywhere.network, narrow.network]).toEqual([null, first])
  const answers = [
    await status(everywhere),
    await status(everywhere, second),
    await status(narrow, first),
    await status(narrow, second),
    await status(everywhere, 'public'),
  ]
  expect(answers).toEqual([200, 200, 200, 403, 403])
})

test('[A4] which request comes first does not decide what the long-lived Session of a key is', async () => {
  const account = await newAccount('owner')
  const network = await newNetwork(account)
  const key = await newKey(account, { networks: ['public', network] })
  const opened = await call('POST', '/v1/sessions', { token: key.key, body: { network } })
  expect(opened.status).toBe(201)
  const hash = await hashCredential(key.key)
  const seen = await Promise.all(
    [network, undefined, 'public'].map(async (name) => {
      const caller = { ...callerWith(hash), network: name }
      const authorized = await sessionStub(env, plainSessionName(hash)).authorize(caller)
      return authorized.ok ? authorized.record : undefined
    }),
  )
  expect(seen.map((record) => record?.networks.map(({ name }) => name).toSorted())).toEqual([
    [network],
    [network, 'public'].toSorted(),
    ['public'],
  ])
  expect(seen.map((record) => record?.network)).toEqual([null, null, null])
  expect(new Set(seen.map((record) => record?.sessionId)).size).toBe(1)
})
