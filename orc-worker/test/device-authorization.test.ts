import { env, exports } from 'cloudflare:workers'
import { DEVICE_CODE_GRANT_TYPE } from '@daisi/protocol'
import * as oauth from 'oauth4webapi'
import { expect, test } from 'vitest'
import { age, newGrant, oauthError, poll } from './support/device.ts'
import { call, newAccount } from './support/orc.ts'
import { errorCode } from './support/scene.ts'
import { enrol, newHostKeys } from './support/test-host.ts'

const CLIENT = { client_id: 'daisi-host' }

let addresses = 0
/** Each decision comes from an address of its own: wrong codes are counted by address. */
const decide = (token: string, user_code: string, decision: 'approve' | 'deny') => {
  const headers = { 'cf-connecting-ip': `192.0.2.${++addresses}` }
  return call('POST', `/api/device/${decision}`, { token, body: { user_code }, headers })
}
const approve = (token: string, user_code: string) => decide(token, user_code, 'approve')
const deny = (token: string, user_code: string) => decide(token, user_code, 'deny')

test('[O1] an independent OAuth client gets a Host in, by RFC 8414 and RFC 8628', async () => {
  const owner = await newAccount('owner')
  const keys = await newHostKeys()
  const issuer = new URL('https://orc.test')
  const options = {
    [oauth.customFetch]: (url: string, init: oauth.CustomFetchOptions<string, unknown>) =>
      exports.default.fetch(url, init as RequestInit),
  }
  const found = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...options })
  const server = await oauth.processDiscoveryResponse(issuer, found)
  expect(server).toMatchObject({
    grant_types_supported: [DEVICE_CODE_GRANT_TYPE],
    token_endpoint_auth_methods_supported: ['none'],
    response_types_supported: [],
  })
  const facts = { host_id: keys.id, host_name: 'attic', network: 'public' }
  const asked = await oauth.deviceAuthorizationRequest(server, CLIENT, oauth.None(), facts, options)
  const grant = await oauth.processDeviceAuthorizationResponse(server, CLIENT, asked)
  expect(grant).toMatchObject({ expires_in: 600, interval: 5, verification_uri: 'https://orc.test/device' })
  expect(grant.verification_uri_complete).toBe(`https://orc.test/device?user_code=${grant.user_code}`)
  const pollOnce = async () => {
    const response = await oauth.deviceCodeGrantRequest(
      server,
      CLIENT,
      oauth.None(),
      grant.device_code,
      options,
    )
    return oauth.processDeviceCodeResponse(server, CLIENT, response)
  }
  await expect(pollOnce()).rejects.toMatchObject({ error: 'authorization_pending' })
  expect((await approve(owner.token, grant.user_code)).status).toBe(200)
  const token = await pollOnce()
  expect(token).toMatchObject({ token_type: 'bearer', scope: 'host:enrol', expires_in: 600 })
  expect((await enrol(keys, token.access_token)).status).toBe(200)
  const { hosts } = await call('GET', '/api/hosts', { token: owner.token }).then((response) =>
    response.json<{ hosts: { id: string }[] }>(),
  )
  expect(hosts.map(({ id }) => id)).toEqual([keys.id])
})

test('[O4] the token lets in the Host that asked, and no other', async () => {
  const owner = await newAccount('owner')
  const [asker, thief] = [await newHostKeys(), await newHostKeys()]
  const { device_code, user_code } = await newGrant({ host_id: asker.id })
  await approve(owner.token, user_code)
  const { access_token } = await poll(device_code).then((response) =>
    response.json<{ access_token: string }>(),
  )
  expect((await enrol(thief, access_token)).status).toBe(401)
  expect((await enrol(asker, access_token)).status).toBe(200)
  expect((await enrol(thief, access_token)).status).toBe(401)
})

test('[O3] the owner sees who asks before deciding (RFC 8628 §5.4)', async () => {
  const { token } = await newAccount('owner')
  const grant = await newGrant({ host_name: 'Dachboden – GPU 2' }, '203.0.113.9')
  const response = await call('POST', '/api/device/lookup', { token, body: { user_code: grant.user_code } })
  const now = Math.floor(Date.now() / 1000)
  const view = await response.json<{ created_at: number; expires_at: number }>()
  expect(view).toMatchObject({
    host_id: grant.hostId,
    host_name: 'Dachboden – GPU 2',
    network: 'public',
    address: '203.0.113.9',
  })
  expect(Math.abs(view.created_at - now)).toBeLessThan(60)
  expect(view.expires_at - view.created_at).toBe(600)
  expect(response.headers.get('cache-control')).toBe('no-store')
})

test('a user code is read whatever its case, dashes and spaces', async () => {
  const { token } = await newAccount('owner')
  const { user_code } = await newGrant()
  const [first, second] = user_code.split('-')
  for (const typed of [
    user_code.toLowerCase(),
    `${first}${second}`,
    ` ${first} - ${second} `,
    user_code.split('').join(' '),
  ]) {
    const response = await call('POST', '/api/device/lookup', { token, body: { user_code: typed } })
    expect([typed, response.status]).toEqual([typed, 200])
  }
})

test('neither code stands in the database, nor anything from which it follows', async () => {
  const { device_code, user_code } = await newGrant()
  const rows = await env.DB.prepare('SELECT * FROM device_grants').all()
  const dump = JSON.stringify(rows.results)
  expect(dump).not.toContain(device_code)
  expect(dump).not.toContain(user_code)
  expect(dump).not.toContain(user_code.replace('-', ''))
})

test('[O2] a poll that comes too soon slows all later ones down by five seconds', async () => {
  const { device_code } = await newGrant()
  const ask = async () => (await oauthError(await poll(device_code)))[1]
  expect(await ask()).toBe('authorization_pending')
  expect(await ask()).toBe('slow_down')
  // The interval is ten seconds now, counted from the last try.
  await age(6)
  expect(await ask()).toBe('slow_down')
  await age(14)
  expect(await ask()).toBe('slow_down')
  await age(20)
  expect(await ask()).toBe('authorization_pending')
  await age(19)
  expect(await ask()).toBe('slow_down')
})

test('of many polls at once the first counts and the others are too soon', async () => {
  const { device_code } = await newGrant()
  const answers = await Promise.all(Array.from({ length: 6 }, () => poll(device_code).then(oauthError)))
  const codes = answers.map(([, code]) => code).sort()
  expect(codes).toEqual(['authorization_pending', ...Array.from({ length: 5 }, () => 'slow_down')])
})

test('[O4] an approved grant is redeemed once, however many polls come at once', async () => {
  const { token } = await newAccount('owner')
  const { device_code, user_code } = await newGrant()
  await approve(token, user_code)
  const answers = await Promise.all(Array.from({ length: 8 }, () => poll(device_code)))
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  for (const answer of answers.filter(({ status }) => status !== 200))
    expect(await oauthError(answer)).toEqual([400, 'invalid_grant'])
  expect(await oauthError(await poll(device_code))).toEqual([400, 'invalid_grant'])
  const enrolments = await env.DB.prepare(
    'SELECT count(*) AS n FROM host_enrolments WHERE for_host_id IS NOT NULL AND expires_at > ?',
  )
    .bind(Date.now())
    .first<{ n: number }>()
  expect(enrolments?.n).toBeGreaterThan(0)
})

test('[O3] a grant is decided once: approving and denying at once, one wins', async () => {
  const [one, two] = [await newAccount('one'), await newAccount('two')]
  for (let round = 0; round < 4; round++) {
    const { user_code } = await newGrant()
    const decisions = await Promise.all([
      approve(one.token, user_code),
      deny(two.token, user_code),
      approve(two.token, user_code),
    ])
    expect(decisions.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 404, 404])
  }
})

test('a denied grant stays denied', async () => {
  const { token } = await newAccount('owner')
  const { device_code, user_code } = await newGrant()
  expect((await deny(token, user_code)).status).toBe(200)
  expect(await oauthError(await poll(device_code))).toEqual([400, 'access_denied'])
  const late = await approve(token, user_code)
  expect([late.status, await errorCode(late)]).toEqual([404, 'not_found'])
  expect(await oauthError(await poll(device_code))).toEqual([400, 'access_denied'])
})

test('an expired grant can be neither approved nor redeemed', async () => {
  const { token } = await newAccount('owner')
  const [waiting, approved] = [await newGrant(), await newGrant()]
  await approve(token, approved.user_code)
  await age(601)
  expect((await approve(token, waiting.user_code)).status).toBe(404)
  expect(await oauthError(await poll(waiting.device_code))).toEqual([400, 'expired_token'])
  expect(await oauthError(await poll(approved.device_code))).toEqual([400, 'expired_token'])
  // Gone altogether, once others come.
  await newGrant()
  expect(await oauthError(await poll(approved.device_code))).toEqual([400, 'expired_token'])
})

test('the code of one grant says nothing about another', async () => {
  const { token } = await newAccount('owner')
  const [first, second] = [await newGrant(), await newGrant()]
  await approve(token, first.user_code)
  expect(await oauthError(await poll(second.device_code))).toEqual([400, 'authorization_pending'])
  expect((await poll(first.device_code)).status).toBe(200)
})

test('made-up device codes are refused without a look at the database', async () => {
  const { device_code } = await newGrant()
  const flipped = device_code.slice(0, 12) + (device_code[12] === 'A' ? 'B' : 'A') + device_code.slice(13)
  for (const wrong of [flipped, `${device_code}A`, device_code.slice(0, -1), 'daisi_dc_x', 'x'.repeat(4_000)])
    expect(await oauthError(await poll(wrong))).toEqual([400, 'invalid_grant'])
  await env.DB.prepare('ALTER TABLE device_grants RENAME TO hidden').run()
  try {
    expect(await oauthError(await poll(flipped))).toEqual([400, 'invalid_grant'])
    // A real one would need it: the database is out of reach, and the answer says so in OAuth's form.
    expect(await oauthError(await poll(device_code))).toEqual([503, 'temporarily_unavailable'])
  } finally {
    await env.DB.prepare('ALTER TABLE hidden RENAME TO device_grants').run()
  }
})

test('unknown fields are ignored, and so are those without a value', async () => {
  const grant = await newGrant({ more: 'yes', scope: 'anything', host_name: '', network: '' })
  expect(grant.user_code).toMatch(/^[B-Z]{4}-[B-Z]{4}$/)
})

test('a Network that the account may not serve is not approved, and may still be denied', async () => {
  const { token } = await newAccount('owner')
  const { device_code, user_code } = await newGrant({ network: 'somebody-elses' })
  const refused = await approve(token, user_code)
  expect([refused.status, await errorCode(refused)]).toEqual([403, 'network_not_allowed'])
  expect(await oauthError(await poll(device_code))).toEqual([400, 'authorization_pending'])
  expect((await deny(token, user_code)).status).toBe(200)
})

test('an account lets Hosts in on a private Network of its own', async () => {
  const owner = await newAccount('owner')
  const made = await call('POST', '/api/networks', { token: owner.token, body: { name: 'garage' } })
  expect(made.status).toBe(201)
  const keys = await newHostKeys()
  const { device_code, user_code } = await newGrant({ host_id: keys.id, network: 'garage' })
  expect((await approve((await newAccount('other')).token, user_code)).status).toBe(403)
  expect((await approve(owner.token, user_code)).status).toBe(200)
  const { access_token } = await poll(device_code).then((response) =>
    response.json<{ access_token: string }>(),
  )
  expect(await (await enrol(keys, access_token)).json()).toMatchObject({ networks: ['garage'] })
})
