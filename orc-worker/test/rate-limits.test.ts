import { env } from 'cloudflare:workers'
import {
  CloseCode,
  isFinalClose,
  DEVICE_AUTHORIZATION_PATH,
  HOST_CHALLENGE_PATH,
  OAUTH_TOKEN_PATH,
} from '@daisi/protocol'
import { expect, test } from 'vitest'
import { readConfig } from '../src/config.ts'
import { hashCredential } from '../src/domain/credential.ts'
import { placeOf } from '../src/domain/limit-place.ts'
import { type Rate, parseRateLimits } from '../src/domain/rate-limits.ts'
import { takePermits } from '../src/objects/limiter/client.ts'
import { plainSessionName, sessionStub } from '../src/objects/stubs.ts'
import { oauthError } from './support/device.ts'
import { call, newAccount, newKey } from './support/orc.ts'
import { errorCode, newScene } from './support/scene.ts'
import { expectRefusal, statuses, strictOrc } from './support/strict-orc.ts'
import { TestHost } from './support/test-host.ts'

const THREE = { perMinute: 1, burst: 3 }
const { key: KEY, account: ACCOUNT } = limitsOfTheObjects()

/** Objects read their limits from the Orc's own settings. */
function limitsOfTheObjects(): { key: Rate; account: Rate } {
  const { key, account } = parseRateLimits(env.RATE_LIMITS)
  if (key === null || account === null) throw new Error('the tests have limits for keys and accounts')
  return { key, account }
}

/** Permits that came back since then. */
function comesBack({ perMinute }: Rate, since: number): number {
  return ((Date.now() - since) * perMinute) / 60_000
}

/** Calls the Session of this key, as a request to `/v1` does. */
async function sessionOf(key: string) {
  const keyHash = await hashCredential(key)
  const caller = { keyHash, network: undefined, origin: undefined, address: undefined }
  // A stub for each call, as the Worker makes them.
  return () => sessionStub(env, plainSessionName(keyHash)).authorize(caller, 'inference')
}

test('[Y1] [Y5] strangers who set up or log in are counted by address', async () => {
  const orc = strictOrc({ login: THREE })
  const attempt = (address: string) => () =>
    orc('POST', '/api/setup', { address, token: 'made-up', body: { name: 'me' } })
  expect(await statuses(3, attempt('192.0.2.1'))).toEqual([401, 401, 401])
  await expectRefusal(await attempt('192.0.2.1')(), 60)
  expect(await statuses(1, attempt('192.0.2.2'))).toEqual([401])
})

test('[Y1] a machine has as many IPv6 addresses as it likes, and is one caller', async () => {
  const orc = strictOrc({ host_wire: THREE })
  const answers: number[] = []
  for (const last of ['1', '2', 'ffff:3', 'b:c:4'])
    answers.push((await orc('POST', HOST_CHALLENGE_PATH, { address: `2001:db8:7:7::${last}` })).status)
  expect(answers).toEqual([200, 200, 200, 429])
  expect((await orc('POST', HOST_CHALLENGE_PATH, { address: '2001:db8:7:8::1' })).status).toBe(200)
})

test('[Y1] reading is counted too', async () => {
  const orc = strictOrc({ anonymous_read: THREE })
  const read = () => orc('GET', '/.well-known/daisi', { address: '192.0.2.3' })
  expect(await statuses(3, read)).toEqual([200, 200, 200])
  await expectRefusal(await read(), 60)
})

test('[Y1] many readers at once get all that there is, and no more', async () => {
  const orc = strictOrc({ anonymous_read: { perMinute: 1, burst: 40 } })
  const read = () => orc('GET', '/.well-known/daisi', { address: '192.0.2.14' })
  const found = [
    ...(await Promise.all(Array.from({ length: 30 }, read))),
    ...(await Promise.all(Array.from({ length: 30 }, read))),
  ]
  expect(found.filter(({ status }) => status === 200)).toHaveLength(40)
  expect(found.filter(({ status }) => status === 429)).toHaveLength(20)
})

test('[Y1] made-up credentials are counted by address, and good ones from there never refused', async () => {
  const account = await newAccount('neighbour')
  const key = await newKey(account)
  const orc = strictOrc({ failed_credential: THREE })
  const address = '192.0.2.4'
  const guess = (path: string) => () => orc('GET', path, { address, token: `daisi_sk_${'A'.repeat(54)}` })
  expect(await statuses(2, guess('/v1/models'))).toEqual([401, 401])
  expect(await statuses(1, guess('/api/account'))).toEqual([401])
  await expectRefusal(await guess('/api/account')(), 60)
  await expectRefusal(await guess('/v1/models')(), 60)
  expect((await orc('GET', '/v1/models', { address, token: key.key })).status).toBe(200)
  expect((await orc('GET', '/api/account', { address, token: account.token })).status).toBe(200)
})

test('[Y1] what only a Session can tell is counted too: keys that were revoked, on every route', async () => {
  const account = await newAccount('neighbour')
  const [key, revoked, opener] = [await newKey(account), await newKey(account), await newKey(account)]
  const opened = await call('POST', '/v1/sessions', { token: opener.key, body: {} })
  const { id } = await opened.json<{ id: string }>()
  for (const each of [revoked, opener]) await call('DELETE', `/api/keys/${each.id}`, { token: account.token })
  const orc = strictOrc({ failed_credential: { perMinute: 1, burst: 5 } })
  const address = '192.0.2.15'
  const found = [
    await orc('GET', '/v1/usage', { address, token: revoked.key }),
    await orc('GET', '/v1/models', { address, token: revoked.key }),
    await orc('POST', '/v1/tokens', { address, token: revoked.key, body: { origins: null } }),
    await orc('POST', '/v1/chat/completions', {
      address,
      token: revoked.key,
      body: { model: 'm', messages: [{ role: 'user', content: 'x' }] },
    }),
    await orc('GET', `/v1/sessions/${id}`, { address, token: opener.key }),
  ]
  expect(found.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401])
  await expectRefusal(await orc('GET', '/v1/usage', { address, token: revoked.key }), 60)
  expect((await orc('GET', '/v1/usage', { address, token: key.key })).status).toBe(200)
})

test('[Y1] of callers without a known address there is one', async () => {
  const orc = strictOrc({ host_wire: THREE })
  const ask = () => orc('POST', HOST_CHALLENGE_PATH, { address: '' })
  expect(await statuses(4, ask)).toEqual([200, 200, 200, 429])
})

test('[Y5] OAuth clients are told in words that they know', async () => {
  const orc = strictOrc({ device_authorization: THREE, device_token: THREE })
  for (const path of [DEVICE_AUTHORIZATION_PATH, OAUTH_TOKEN_PATH]) {
    const ask = () => orc('POST', path, { address: '192.0.2.5', form: {} })
    expect(await statuses(3, ask)).toEqual([400, 400, 400])
    const refused = await ask()
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
    expect(refused.headers.get('cache-control')).toBe('no-store')
    expect(await oauthError(refused)).toEqual([429, 'slow_down'])
  }
})

test('[Y3] management is counted by account, wherever its requests come from', async () => {
  const [one, two] = [await newAccount('one'), await newAccount('two')]
  const orc = strictOrc({ management: THREE })
  let addresses = 0
  const ask = (token: string) => () =>
    orc('GET', '/api/account', { address: `198.51.100.${++addresses}`, token })
  expect(await statuses(3, ask(one.token))).toEqual([200, 200, 200])
  await expectRefusal(await ask(one.token)(), 60)
  expect((await ask(two.token)()).status).toBe(200)
})

test('[Y6] where nothing can be counted, reading and Hosts go on, and logging in does not', async () => {
  const account = await newAccount('account')
  const broken = {
    getByName: () => ({
      take: async () => {
        throw new Error('the limiter is gone')
      },
    }),
  }
  const orc = strictOrc({}, { LIMITERS: broken as unknown as Env['LIMITERS'] })
  const address = '192.0.2.6'
  expect((await orc('GET', '/.well-known/daisi', { address })).status).toBe(200)
  expect((await orc('POST', HOST_CHALLENGE_PATH, { address })).status).toBe(200)
  expect((await orc('GET', '/api/account', { address, token: account.token })).status).toBe(200)
  expect((await orc('GET', '/v1/models', { address, token: 'made-up' })).status).toBe(401)
  const setup = await orc('POST', '/api/setup', { address, token: 'made-up', body: { name: 'me' } })
  expect([setup.status, await errorCode(setup)]).toEqual([503, 'storage_unavailable'])
  const form = { client_id: 'daisi-host', host_id: 'A'.repeat(43) }
  for (const path of [DEVICE_AUTHORIZATION_PATH, OAUTH_TOKEN_PATH])
    expect(await oauthError(await orc('POST', path, { address, form }))).toEqual([
      503,
      'temporarily_unavailable',
    ])
})

test('[Y6] a refusal is remembered, and the limiter left alone', async () => {
  let asked = 0
  const counting = {
    getByName: () => ({
      take: async () => {
        asked++
        return { granted: 0, retryAfterMs: 30_000 }
      },
    }),
  }
  const orc = strictOrc({}, { LIMITERS: counting as unknown as Env['LIMITERS'] })
  const ask = () => orc('POST', HOST_CHALLENGE_PATH, { address: '192.0.2.7' })
  expect(await statuses(20, ask)).toEqual(Array.from({ length: 20 }, () => 429))
  expect(asked).toBe(1)
})

test('[Y2] a key that asks too often is told when to come again', async () => {
  const authorize = await sessionOf((await newKey(await newAccount('hasty'))).key)
  const startedAt = Date.now()
  const answers = await Promise.all(Array.from({ length: KEY.burst + 200 }, authorize))
  const allowed = answers.filter((answer) => answer.ok).length
  expect(allowed).toBeGreaterThanOrEqual(KEY.burst)
  expect(allowed).toBeLessThanOrEqual(KEY.burst + 1 + comesBack(KEY, startedAt))
  expect(answers.find((answer) => !answer.ok)).toMatchObject({ code: 'rate_limited', retryAfterSeconds: 1 })
})

test('[Y2] all keys of an account share what it has, and other accounts do not feel it', async () => {
  const [account, other] = [await newAccount('busy'), await newAccount('calm')]
  const { keys } = await readConfig(env)
  const place = await placeOf('account', { by: 'account', id: account.id }, keys.rateLimitMac)
  const sessions = await Promise.all(
    Array.from({ length: 4 }, async () => sessionOf((await newKey(account)).key)),
  )
  // What others with keys of the account used up.
  const startedAt = Date.now()
  await takePermits(env, place, ACCOUNT, { wanted: ACCOUNT.burst })
  const answers = await Promise.all(
    sessions.flatMap((authorize) => Array.from({ length: 40 }, () => authorize())),
  )
  const allowed = answers.filter((answer) => answer.ok).length
  // One for each Session may go ahead unpaid.
  expect(allowed).toBeLessThanOrEqual(sessions.length + 1 + comesBack(ACCOUNT, startedAt))
  const refused = answers.find((answer) => !answer.ok)
  expect(refused).toMatchObject({ code: 'rate_limited', retryAfterSeconds: expect.any(Number) })
  const calm = await sessionOf((await newKey(other)).key)
  expect(await calm()).toMatchObject({ ok: true })
})

test('[Y4] a Host that floods the Orc is closed with 4429 and may come back', async () => {
  const { host, model } = await newScene()
  const status = { type: 'status', freeSlots: 1, accepting: true } as const
  for (let sent = 0; sent < 3_000; sent++) host.send(status)
  const { code } = await host.closed
  expect([code, isFinalClose(code)]).toEqual([CloseCode.TooManyMessages, false])
  const again = await TestHost.connect(host.keys, { model })
  again.close()
})

test('[Y4] what a Host says of itself is counted apart, since directories hear of it', async () => {
  const { host, model } = await newScene()
  const offer = { id: model, contextLength: 2048, kinds: ['chat' as const], capabilities: [] }
  for (let sent = 1; sent <= 500; sent++)
    host.send({ type: 'models', models: [{ ...offer, contextLength: sent }] })
  expect((await host.closed).code).toBe(CloseCode.TooManyMessages)
})

test('[Y4] frames of Jobs that nobody knows are counted too', async () => {
  const { host } = await newScene()
  const jobId = `job_${'0'.repeat(32)}`
  for (let sent = 0; sent < 8_000; sent++) host.sendFrame(jobId, sent, 'x')
  expect((await host.closed).code).toBe(CloseCode.TooManyMessages)
})
