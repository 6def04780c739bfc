import { ACKNOWLEDGEMENT_TYPE, CloseCode, type DirectGrant, type Session } from '@daisi/protocol'
import { env } from 'cloudflare:workers'
import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { decodeJwt } from 'jose'
import { expect, test } from 'vitest'
import { hostStub, openedSessionName, sessionStub } from '../src/objects/stubs.ts'
import { balanced } from './support/books.ts'
import { compact } from './support/forge.ts'
import { type DirectScene, newDirectScene, openedDirect, report } from './support/direct.ts'
import { call, newAccount, newEnrolment, newKey } from './support/orc.ts'
import { type TestHost, newHost } from './support/test-host.ts'

// Who bends the ids of a Direct Connection gets nothing for it.

const TINY = { promptTokens: 1, cachedTokens: 0, generatedTokens: 1 }
const LARGE = { promptTokens: 100, cachedTokens: 0, generatedTokens: 300 }
const NOTHING = { promptTokens: 0, cachedTokens: 0, generatedTokens: 0 }

interface Served {
  readonly host: TestHost
  readonly grant: DirectGrant
}

/** One Session with a token for each of two Hosts of different owners. */
async function twoHosts(): Promise<{ scene: DirectScene; session: Session; a: Served; b: Served }> {
  const scene = await newDirectScene()
  const { token } = await newEnrolment(await newAccount('owner of the other'))
  const other = await newHost(token, { model: scene.model, direct: { endpoint: 'https://192.0.2.8:8790' } })
  const { session, grant } = await openedDirect(scene)
  const hosts = [scene.host, other]
  const served = (of: DirectGrant): Served => {
    const host = hosts.find(({ keys }) => keys.id === of.host_id)
    if (host === undefined) throw new Error('a grant for nobody')
    return { host, grant: of }
  }
  const body = { model: scene.model, key: scene.bound.publicJwk, budget: 1_000 }
  // The directory takes the Host that it named last to be busier: the next one is the other.
  const response = await call('POST', `/v1/sessions/${session.id}/direct`, { token: scene.key.key, body })
  const second = await response.json<DirectGrant>()
  if (second.host_id === grant.host_id) throw new Error('the same Host twice')
  return { scene, session, a: served(grant), b: served(second) }
}

async function credits({ key }: DirectScene, { id }: Session): Promise<number> {
  const view = await call('GET', `/v1/sessions/${id}`, { token: key.key })
  return (await view.json<Session>()).usage.credits
}

test('[D8] one Job id at two Hosts is two Jobs', async () => {
  const { scene, session, a, b } = await twoHosts()
  const jobId = `job_${'a'.repeat(32)}`
  await report({ host: a.host, bound: scene.bound }, a.grant, { jobId, usage: TINY })
  await report({ host: b.host, bound: scene.bound }, b.grant, { jobId, usage: LARGE })
  expect(await credits(scene, session)).toBe(402)
  await balanced()
})

test('[D8] one Job id under two tokens of one Host is two Jobs', async () => {
  const scene = await newDirectScene()
  const jobId = `job_${'b'.repeat(32)}`
  const [first, second] = [await openedDirect(scene), await openedDirect(scene)]
  await report(scene, first.grant, { jobId, usage: TINY })
  await report(scene, second.grant, { jobId, usage: LARGE })
  expect([await credits(scene, first.session), await credits(scene, second.session)]).toEqual([2, 400])
})

test('[D8] a Job id that is another token’s id frees nothing of what is held for that token', async () => {
  const { scene, session, a, b } = await twoHosts()
  const tokenId = String(decodeJwt(b.grant.token).jti)
  const liar = { host: a.host, bound: scene.bound }
  // Tokens' ids are not of Jobs' form: this is the nearest that is taken at all.
  await report(liar, a.grant, { jobId: tokenId.replace('tok_', 'job_'), usage: NOTHING })
  const noted = report(liar, a.grant, { jobId: tokenId, usage: NOTHING })
  expect(await Promise.race([noted, a.host.closed])).toMatchObject({ code: CloseCode.BadMessage })
  await report({ host: b.host, bound: scene.bound }, b.grant, { usage: LARGE })
  expect(await credits(scene, session)).toBe(400)
})

test('[D2] a token ends with its Session and with its key', async () => {
  const scene = await newDirectScene()
  const { grant } = await openedDirect(scene, { ttl_seconds: 60 })
  expect(grant.expires_at - Date.now() / 1000).toBeLessThanOrEqual(60)
  expect(decodeJwt(grant.token).exp).toBe(grant.expires_at)
  const key = await newKey(scene.consumer, { ttl_seconds: 90 })
  const { grant: short } = await openedDirect({ ...scene, key })
  expect(short.expires_at - Date.now() / 1000).toBeLessThanOrEqual(90)
})

test('[D9] a Host is told of each token once, and what could not be told is told later', async () => {
  const scene = await newDirectScene()
  const [first, second] = [await openedDirect(scene), await openedDirect(scene)]
  const close = (session: Session): Promise<Response> =>
    call('DELETE', `/v1/sessions/${session.id}`, { token: scene.key.key })
  await close(first.session)
  expect((await scene.host.receive('direct-revoked')).tokenIds).toEqual([decodeJwt(first.grant.token).jti])
  // A method that an instance has of its own cannot be called from other objects.
  const object = hostStub(env, scene.host.keys.id)
  await runInDurableObject(object, (host) => Object.assign(host, { revokeDirect: undefined }))
  await close(second.session)
  await runInDurableObject(object, (host) => Reflect.deleteProperty(host, 'revokeDirect'))
  await runDurableObjectAlarm(sessionStub(env, openedSessionName(second.session.id)))
  expect((await scene.host.receive('direct-revoked')).tokenIds).toEqual([decodeJwt(second.grant.token).jti])
})

test('[D8] one acknowledgement is paid once, under however many tokens of the Session it is brought', async () => {
  const scene = await newDirectScene()
  const { session, grant } = await openedDirect(scene)
  const body = { model: scene.model, key: scene.bound.publicJwk, budget: 1_000 }
  const jobId = await report(scene, grant)
  const first = await credits(scene, session)
  for (let tokens = 0; tokens < 3; tokens++) {
    const path = `/v1/sessions/${session.id}/direct`
    const further = await call('POST', path, { token: scene.key.key, body })
    const { token } = await further.json<DirectGrant>()
    await report(scene, grant, { jobId, sessionToken: token })
  }
  expect(await credits(scene, session)).toBe(first)
})

test.for<[string, Record<string, unknown>]>([
  ['an end', { exp: 1 }],
  ['a beginning', { nbf: 9_999_999_999 }],
  ['an issuer', { iss: 'somebody' }],
  ['anything else', { more: true }],
])('[D6] an acknowledgement with %s is none, here as at the Host', async ([, more]) => {
  const scene = await newDirectScene()
  const { session, grant } = await openedDirect(scene)
  const jobId = `job_${'c'.repeat(32)}`
  const claims = { aud: grant.host_id, sid: grant.session_id, jobId, ...LARGE, iat: 1, ...more }
  const header = { alg: 'EdDSA', typ: ACKNOWLEDGEMENT_TYPE, jwk: scene.bound.publicJwk }
  const acknowledgement = await compact(header, claims, scene.bound.privateKey)
  await report(scene, grant, { jobId, usage: LARGE, acknowledgement })
  expect(await credits(scene, session)).toBe(0)
})
