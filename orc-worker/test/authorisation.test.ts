import { env } from 'cloudflare:workers'
import { describe, expect, test } from 'vitest'
import { type Route, routes } from '../src/routes/table.ts'
import { call, newAccount, newEnrolment, newKey, operatorAccount } from './support/orc.ts'
import { errorCode } from './support/scene.ts'
import { enrol, newHostKeys, proofOf } from './support/test-host.ts'

// Every route of the table against every kind of wrong caller. A route with a new kind of access does not compile until
// it has a row here.

type Caller =
  | 'nobody'
  | 'garbage'
  | 'setup'
  | 'secret key'
  | 'revoked key'
  | 'account'
  | 'operator'
  | 'enrolment token'
  | 'host proof'
const callers: Caller[] = [
  'nobody',
  'garbage',
  'setup',
  'secret key',
  'revoked key',
  'account',
  'operator',
  'enrolment token',
  'host proof',
]

const REFUSED = 'refused'

/** What a caller of a kind that may not pass is answered. Those not named pass the door (and may fail behind it). */
const expected: Readonly<Record<Route['access'], Partial<Record<Caller, number | typeof REFUSED>>>> = {
  public: {},
  // These carry their own proof in the body or are open by design; their doors are tested in host-wire.test.ts.
  host: {},
  setup: refuseAllBut('setup'),
  consumer: refuseAllBut('secret key'),
  account: refuseAllBut('account', 'operator'),
  operator: { ...refuseAllBut('operator'), account: 403 },
}

function refuseAllBut(...good: Caller[]): Partial<Record<Caller, number>> {
  return Object.fromEntries(callers.filter((caller) => !good.includes(caller)).map((caller) => [caller, 401]))
}

async function tokenOf(caller: Caller): Promise<string | undefined> {
  const account = await newAccount('matrix')
  switch (caller) {
    case 'nobody':
      return undefined
    case 'garbage':
      return `daisi_sk_${'x'.repeat(54)}`
    case 'setup':
      return env.SETUP_TOKEN
    case 'secret key':
      return (await newKey(account)).key
    case 'revoked key': {
      const key = await newKey(account)
      await call('DELETE', `/api/keys/${key.id}`, { token: account.token })
      return key.key
    }
    case 'account':
      return account.token
    case 'operator':
      return (await operatorAccount()).token
    case 'enrolment token':
      return (await newEnrolment(account)).token
    case 'host proof':
      return proofOf(await newHostKeys())
  }
}

// Paths hold parameters; a body that every route can parse gets past validation to the door behind it.
const bodies: Readonly<Record<string, unknown>> = {
  '/v1/chat/completions': { model: 'none', messages: [{ role: 'user', content: 'x' }] },
  '/v1/sessions': {},
}

describe.for(callers)('%s', (caller) => {
  test.for(routes.map((route) => [`${route.method} ${route.path}`, route] as const))(
    '%s',
    async ([, route]) => {
      const token = await tokenOf(caller)
      const path = route.path.replace('{.+}', '').replaceAll(/:\w+/g, 'something')
      const body = route.method === 'POST' ? (bodies[route.path] ?? { name: 'x' }) : undefined
      const response = await call(route.method, path, { ...(token === undefined ? {} : { token }), body })
      const status = expected[route.access][caller]
      if (status !== undefined) expect(response.status).toBe(status)
      else if (route.access !== 'host') expect([401, 403]).not.toContain(response.status)
      expect(response.status).not.toBe(500)
      await response.body?.cancel()
    },
  )
})

test('[A1] unknown, made-up and revoked keys are answered alike', async () => {
  const account = await newAccount('a')
  const key = await newKey(account)
  const good = await call('GET', '/v1/models', { token: key.key })
  expect(good.status).toBe(200)
  expect((await call('DELETE', `/api/keys/${key.id}`, { token: account.token })).status).toBe(204)
  const madeUp = key.key.slice(0, -1) + (key.key.endsWith('A') ? 'B' : 'A')
  const answers = await Promise.all(
    [key.key, madeUp, 'x'].map((token) => call('GET', '/v1/models', { token })),
  )
  const bodies = await Promise.all(answers.map((answer) => answer.text()))
  expect(answers.map((answer) => answer.status)).toEqual([401, 401, 401])
  expect(new Set(bodies).size).toBe(1)
})

test('a key without a scope is refused with insufficient_scope', async () => {
  const account = await newAccount('a')
  const [usage, inference] = [
    await newKey(account, { scopes: ['usage'] }),
    await newKey(account, { scopes: ['inference'] }),
  ]
  const chat = { model: 'm', messages: [{ role: 'user', content: 'x' }] }
  const refused = [
    await call('POST', '/v1/chat/completions', { token: usage.key, body: chat }),
    await call('GET', '/v1/models', { token: usage.key }),
    await call('GET', '/v1/usage', { token: inference.key }),
    await call('POST', '/v1/sessions', { token: inference.key, body: {} }),
  ]
  for (const response of refused) {
    expect(response.status).toBe(403)
    expect(await errorCode(response)).toBe('insufficient_scope')
  }
})

test('a key may use only its Networks', async () => {
  const { key } = await newKey(await newAccount('a'))
  const response = await call('GET', '/v1/models', { token: key, headers: { 'daisi-network': 'elsewhere' } })
  expect([response.status, await errorCode(response)]).toEqual([403, 'network_not_allowed'])
})

test('an account cannot touch what another owns', async () => {
  const [mine, theirs] = [await newAccount('mine'), await newAccount('theirs')]
  const key = await newKey(theirs)
  const keys = await newHostKeys()
  expect((await enrol(keys, (await newEnrolment(theirs)).token)).status).toBe(200)
  const app = await call('POST', '/api/apps', { token: theirs.token, body: { name: 'app' } })
  const { id } = await app.json<{ id: string }>()
  const attempts = [
    await call('DELETE', `/api/keys/${key.id}`, { token: mine.token }),
    await call('DELETE', `/api/hosts/${keys.id}`, { token: mine.token }),
    await call('POST', `/api/hosts/${keys.id}/commands`, { token: mine.token, body: { name: 'pause' } }),
    await call('POST', `/api/apps/${id}/keys`, { token: mine.token, body: { name: 'x' } }),
  ]
  expect(attempts.map((attempt) => attempt.status)).toEqual([404, 404, 404, 404])
  expect((await call('GET', '/v1/models', { token: key.key })).status).toBe(200)
})

test('setup works once, also when it is called twice at once', async () => {
  const options = { token: env.SETUP_TOKEN, body: { name: 'racer' } }
  await operatorAccount()
  await env.DB.prepare('UPDATE accounts SET operator = 0').run()
  const racers = await Promise.all([1, 2, 3].map(() => call('POST', '/api/setup', options)))
  expect(racers.map((racer) => racer.status)).toEqual([409, 409, 409])
  await env.DB.prepare("UPDATE accounts SET operator = 1 WHERE id = 'acc_operator'").run()
  const again = await call('POST', '/api/setup', { token: env.SETUP_TOKEN, body: { name: 'second' } })
  expect([again.status, await errorCode(again)]).toEqual([409, 'conflict'])
})
