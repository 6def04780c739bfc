import { env } from 'cloudflare:workers'
import { type Session, SESSION_TOKEN_TYPE, sessionTokenClaims } from '@daisi/protocol'
import { calculateJwkThumbprint, decodeJwt, decodeProtectedHeader } from 'jose'
import { expect, test } from 'vitest'
import { openedSessionName, sessionStub } from '../src/objects/stubs.ts'
import { balanced } from './support/books.ts'
import {
  type DirectScene,
  USED,
  acknowledge,
  newDirectScene,
  openDirect,
  openedDirect,
  report,
} from './support/direct.ts'
import { evidence } from './support/evidence.ts'
import { balanceOf, call, newAccount, newEnrolment, newKey } from './support/orc.ts'
import { chat, errorCode, newScene } from './support/scene.ts'
import { TestHost, newHost, newHostKeys } from './support/test-host.ts'

const COST = USED.promptTokens - USED.cachedTokens + USED.generatedTokens

/** What the Session has paid or owes, once everything reported is settled. */
async function paid({ key }: DirectScene, session: Session): Promise<number> {
  const view = await call('GET', `/v1/sessions/${session.id}`, { token: key.key })
  return (await view.json<Session>()).usage.credits
}

test('[D1, D2] a direct Session names a Host and binds its token to the Host, the key, the model and a budget', async () => {
  const scene = await newDirectScene()
  const { session, grant } = await openedDirect(scene)
  expect(session).toMatchObject({ mode: 'direct', status: 'open', network: null })
  expect(grant).toMatchObject({
    endpoint: 'https://192.0.2.7:8790',
    certificate_sha256: 'b'.repeat(64),
    host_id: scene.host.keys.id,
    model: scene.model,
    budget: 1_000,
  })
  expect(decodeProtectedHeader(grant.token)).toMatchObject({ alg: 'Ed25519', typ: SESSION_TOKEN_TYPE })
  const claims = sessionTokenClaims.parse(decodeJwt(grant.token))
  expect(claims).toMatchObject({ aud: scene.host.keys.id, mode: 'direct', net: 'public', budget: 1_000 })
  expect(claims).toMatchObject({ sid: grant.session_id, model: scene.model })
  expect(claims.cnf?.jkt).toBe(await calculateJwkThumbprint(scene.bound.publicJwk))
  expect(claims.exp).toBe(grant.expires_at)
  // Five minutes from when the credits were held, and it is signed a moment later.
  expect(claims.exp - claims.iat).toBeLessThanOrEqual(300)
  expect(claims.exp - claims.iat).toBeGreaterThan(240)
  // Nothing that a Host is given says whose Session it is.
  expect(grant.token + JSON.stringify(claims)).not.toMatch(
    new RegExp(`${session.id}|${scene.consumer.id}|${scene.key.id}`),
  )
  expect(await balanceOf(scene.consumer)).toMatchObject({ spent: 0 })
})

test('[D1] a stranger’s Host at a local address is named to nobody from elsewhere', async () => {
  const scene = await newDirectScene({ endpoint: 'https://10.9.8.7:8790' })
  const from = (address: string): Promise<Response> =>
    openDirect(scene, {}, 1_000, { 'cf-connecting-ip': address })
  const far = await from('203.0.113.9')
  expect([far.status, await errorCode(far)]).toEqual([503, 'no_host_available'])
  expect((await from('10.1.1.1')).status).toBe(201)
})

test('[D1] only Hosts that offer Direct Connections are named, and only to who asks for them', async () => {
  const plain = await newScene()
  const refused = await openDirect({ ...plain, bound: await newHostKeys() })
  expect([refused.status, await errorCode(refused)]).toEqual([503, 'no_host_available'])
  await expect.poll(() => balanceOf(plain.consumer)).toMatchObject({ available: 10_000, held: 0 })
  const scene = await newDirectScene()
  const session = await call('POST', '/v1/sessions', { token: scene.key.key, body: {} })
  const { id } = await session.json<Session>()
  const body = { model: scene.model, key: scene.bound.publicJwk }
  const grant = await call('POST', `/v1/sessions/${id}/direct`, { token: scene.key.key, body })
  expect([grant.status, await errorCode(grant)]).toEqual([400, 'invalid_request'])
})

test('[D8, P5] a reported Job is paid as acknowledgement and receipt agree, once, and the rest of the hold stays for more', async () => {
  const scene = await newDirectScene()
  const { session, grant } = await openedDirect(scene)
  const jobId = await report(scene, grant)
  await report(scene, grant, { jobId })
  await report(scene, grant)
  expect(await paid(scene, session)).toBe(2 * COST)
  const receipt = await scene.host.receipt(
    { jobId, sessionToken: grant.token },
    { promptTokens: 500, cachedTokens: 0, generatedTokens: 500 },
  )
  // The same Job again, with more in it.
  await report(scene, grant, { jobId, receipt })
  expect(await paid(scene, session)).toBe(2 * COST)
  expect(await balanceOf(scene.owner)).toMatchObject({ earned: 2 * COST })
  await balanced()
})

test('[P5] neither side alone decides: the smaller of what was acknowledged and what was signed for is paid', async () => {
  const scene = await newDirectScene()
  const { session, grant } = await openedDirect(scene)
  const more = { promptTokens: 400, cachedTokens: 0, generatedTokens: 90 }
  const [first, second] = [`job_${'1'.repeat(32)}`, `job_${'2'.repeat(32)}`]
  const run = { sessionToken: grant.token }
  await report(scene, grant, {
    jobId: first,
    acknowledgement: await acknowledge(grant, scene.bound, first, USED),
    receipt: await scene.host.receipt({ ...run, jobId: first }, more),
  })
  expect(await paid(scene, session)).toBe(COST)
  await report(scene, grant, {
    jobId: second,
    acknowledgement: await acknowledge(grant, scene.bound, second, more),
    receipt: await scene.host.receipt({ ...run, jobId: second }, USED),
  })
  expect(await paid(scene, session)).toBe(2 * COST)
})

test('[D8] no more is paid under a token than it covers', async () => {
  const scene = await newDirectScene()
  const { session, grant } = await openedDirect(scene)
  const large = { promptTokens: 300, cachedTokens: 0, generatedTokens: 300 }
  for (let jobs = 0; jobs < 3; jobs++) await report(scene, grant, { usage: large })
  expect(await paid(scene, session)).toBe(1_000)
  await balanced()
})

test('[D8] what is not the Consumer’s word is worth nothing', async () => {
  const scene = await newDirectScene()
  const { session, grant } = await openedDirect(scene)
  const stranger = await newHostKeys()
  const jobId = `job_${'3'.repeat(32)}`
  const forged = [
    '',
    'x.y.z',
    await acknowledge(grant, stranger, jobId, USED),
    await acknowledge(grant, scene.bound, jobId, USED, { sid: 'ses_another-session-of-it' }),
    await acknowledge(grant, scene.bound, jobId, USED, { aud: stranger.id }),
    await acknowledge(grant, scene.bound, jobId, USED, { typ: 'dpop+jwt' }),
    await acknowledge(grant, scene.bound, jobId, USED, { jobId: `job_${'4'.repeat(32)}` }),
  ]
  for (const [index, acknowledgement] of forged.entries())
    await report(scene, grant, { jobId: `job_${String(index).repeat(32)}`, acknowledgement })
  expect(await paid(scene, session)).toBe(0)
})

test('[D8] a token that is not this Orc’s for this Host pays nothing, and is kept for the operator', async () => {
  const scene = await newDirectScene()
  const other = await newDirectScene()
  const { session, grant } = await openedDirect(scene)
  const { grant: foreign } = await openedDirect(other)
  // Another Host's token, one of an orchestrated Job, a tampered one.
  await report(scene, grant, { sessionToken: foreign.token })
  const answer = chat(scene)
  const run = await scene.host.serve(['ok'])
  await answer
  await report(scene, grant, { sessionToken: run.sessionToken })
  const [head = '', payload = '', signature = ''] = grant.token.split('.')
  await report(scene, grant, { sessionToken: `${head}.${payload}A.${signature}` })
  expect(await paid(scene, session)).toBe(0)
  expect(await evidence(scene.host, 'stray_receipt')).toHaveLength(1)
})

test('[D9] when the key is revoked or the Session closed, the Host is told at once, or when it comes back', async () => {
  const scene = await newDirectScene()
  const { session, grant } = await openedDirect(scene)
  const { jti } = decodeJwt(grant.token)
  await call('DELETE', `/v1/sessions/${session.id}`, { token: scene.key.key })
  expect(await scene.host.receive('direct-revoked')).toMatchObject({ tokenIds: [jti] })
  // What was done before is still paid.
  await report(scene, grant)
  expect(await paid(scene, session)).toBe(COST)
  const { grant: second } = await openedDirect(scene)
  scene.host.close()
  await scene.host.closed
  await call('DELETE', `/api/keys/${scene.key.id}`, { token: scene.consumer.token })
  const direct = { endpoint: 'https://192.0.2.7:8790' }
  const back = await TestHost.connect(scene.host.keys, { model: scene.model, direct })
  const told = await back.receive('direct-revoked')
  expect(new Set(told.tokenIds)).toEqual(new Set([jti, decodeJwt(second.token).jti]))
  expect((await openDirect(scene)).status).toBe(401)
})

test('[P3] on a Host of one’s own a Direct Connection is free, also without credits', async () => {
  const consumer = await newAccount('consumer')
  const model = 'own-direct'
  const direct = { endpoint: 'http://127.0.0.1:1' }
  const host = await newHost((await newEnrolment(consumer)).token, { model, direct })
  const scene = {
    consumer,
    owner: consumer,
    key: await newKey(consumer),
    model,
    host,
    bound: await newHostKeys(),
  }
  const { session, grant } = await openedDirect(scene, { budget: 10 })
  await report(scene, grant)
  expect(await paid(scene, session)).toBe(0)
  expect(await balanceOf(consumer)).toMatchObject({ spent: 0 })
})

test('[P4, D2] credits for the whole token are held, and the request that the balance does not cover is refused', async () => {
  const scene = await newDirectScene()
  const refused = await openDirect(scene, {}, 20_000)
  expect([refused.status, await errorCode(refused)]).toEqual([402, 'insufficient_credits'])
  const { session } = await openedDirect(scene)
  const stub = sessionStub(env, openedSessionName(session.id))
  // The Session's own budget covers its tokens too.
  const narrow = await openDirect(scene, { budget: 500 })
  expect([narrow.status, await errorCode(narrow)]).toEqual([402, 'insufficient_credits'])
  expect(await stub.recall()).toBe(true)
  await expect.poll(() => balanceOf(scene.consumer)).toMatchObject({ available: 9_000, held: 1_000 })
})

test('another key cannot take Hosts from a Session that is not its own', async () => {
  const scene = await newDirectScene()
  const { session } = await openedDirect(scene)
  const { key } = await newKey(await newAccount('stranger'))
  const body = { model: scene.model, key: scene.bound.publicJwk }
  const answer = await call('POST', `/v1/sessions/${session.id}/direct`, { token: key, body })
  expect([answer.status, await errorCode(answer)]).toEqual([404, 'not_found'])
})
