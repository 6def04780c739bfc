import { env } from 'cloudflare:workers'
import { evictDurableObject } from 'cloudflare:test'
import { CloseCode, MAX_FRAME_BYTES, PROTOCOL_VERSION } from '@daisi/protocol'
import { expect, test } from 'vitest'
import { hostStub } from '../src/objects/stubs.ts'
import { call, newAccount, newEnrolment } from './support/orc.ts'
import { chat, errorCode, newScene } from './support/scene.ts'
import { TestHost, enrol, newHostKeys, proofOf, upgrade } from './support/test-host.ts'

test('[C1] a challenge names nobody and differs each time', async () => {
  const ask = () =>
    call('POST', '/host/v1/challenge').then((response) =>
      response.json<{ nonce: string; expiresInSeconds: number }>(),
    )
  const [first, second] = [await ask(), await ask()]
  expect(first.nonce).not.toBe(second.nonce)
  expect(first.expiresInSeconds).toBe(60)
})

test('[C3] an enrolment token lets one key in, and the same key again', async () => {
  const { token } = await newEnrolment(await newAccount('owner'))
  const [first, second] = [await newHostKeys(), await newHostKeys()]
  const answers = [await enrol(first, token), await enrol(first, token), await enrol(second, token)]
  expect(answers.map((answer) => answer.status)).toEqual([200, 200, 401])
  expect(await answers[0]!.json()).toEqual(await answers[1]!.json())
})

test('[C3] two keys race for one token: one wins', async () => {
  const { token } = await newEnrolment(await newAccount('owner'))
  const keys = await Promise.all(Array.from({ length: 8 }, () => newHostKeys()))
  const statuses = await Promise.all(keys.map(async (key) => (await enrol(key, token)).status))
  expect(statuses.filter((status) => status === 200)).toHaveLength(1)
  expect(statuses.filter((status) => status === 401)).toHaveLength(7)
})

test('[C4] unknown keys and wrong proofs are refused before any object is touched', async () => {
  const enrolled = await newHostKeys()
  await enrol(enrolled, (await newEnrolment(await newAccount('owner'))).token)
  const stranger = await newHostKeys()
  const attempts = [
    await upgrade(await proofOf(stranger)),
    await upgrade(await proofOf({ ...enrolled, privateKey: stranger.privateKey })),
    await upgrade(await proofOf(stranger, { issuer: enrolled.id })),
    await upgrade(await proofOf(enrolled, { audience: 'another-orc' })),
    await upgrade(await proofOf(enrolled, { nonce: 'made.up' })),
    // Made for another Orc that passes it on, or for enrolling.
    await upgrade(await proofOf(enrolled, { origin: 'evil.test' })),
    await upgrade(await proofOf(enrolled, { purpose: 'enrol' })),
    await upgrade('not a jwt'),
  ]
  for (const attempt of attempts)
    expect([attempt.status, await errorCode(attempt)]).toEqual([401, 'invalid_api_key'])
})

test('[C4] a removed Host is closed with 4403 and cannot come back', async () => {
  const { host, owner } = await newScene()
  expect((await call('DELETE', `/api/hosts/${host.keys.id}`, { token: owner.token })).status).toBe(204)
  expect((await host.closed).code).toBe(CloseCode.Revoked)
  expect((await upgrade(await proofOf(host.keys))).status).toBe(401)
  const again = await enrol(host.keys, (await newEnrolment(owner)).token)
  expect([again.status, await errorCode(again)]).toEqual([409, 'conflict'])
})

test('[C4] a Host that is removed while its connection is on the way does not get in', async () => {
  const { host } = await newScene()
  await hostStub(env, host.keys.id).remove()
  expect((await host.closed).code).toBe(CloseCode.Revoked)
  // Its row in D1 still says that it is welcome, as it would to a Worker that read it a moment before.
  expect((await upgrade(await proofOf(host.keys))).status).toBe(401)
})

test('[C5] a nonce opens one connection', async () => {
  const { host } = await newScene()
  const proof = await proofOf(host.keys)
  expect((await upgrade(proof)).status).toBe(101)
  expect((await upgrade(proof)).status).toBe(401)
})

test('[C6] the newer connection wins and the older is told why', async () => {
  const scene = await newScene()
  const newer = await TestHost.connect(scene.host.keys, { model: scene.model })
  expect((await scene.host.closed).code).toBe(CloseCode.Superseded)
  const answer = chat(scene)
  await newer.serve(['from the newer'])
  expect(await (await answer).json()).toMatchObject({ choices: [{ message: { content: 'from the newer' } }] })
})

test('a plain request to the connect route is answered 426', async () => {
  const response = await call('GET', '/host/v1/connect', { token: 'x' })
  expect([response.status, await errorCode(response)]).toEqual([426, 'upgrade_required'])
})

test('[H1] anything before hello closes with 4400', async () => {
  const { host } = await newScene()
  const { webSocket } = await upgrade(await proofOf(host.keys))
  const silent = new TestHost(host.keys, webSocket!)
  silent.send({ type: 'status', freeSlots: 1, accepting: true })
  expect((await silent.closed).code).toBe(CloseCode.BadMessage)
})

test('[H7] a Host whose versions do not meet ours is closed with 4426', async () => {
  const { host } = await newScene()
  const { webSocket } = await upgrade(await proofOf(host.keys))
  const future = new TestHost(host.keys, webSocket!)
  const version = PROTOCOL_VERSION + 1
  future.send({
    type: 'hello',
    protocol: { version, minimum: version },
    agent: { name: 'future', version: '9' },
    models: [],
    slots: { total: 1, free: 1, queue: 0 },
    accepting: true,
    running: [],
  })
  expect((await future.closed).code).toBe(CloseCode.VersionTooOld)
})

test.for([
  ['[H6] text that is not JSON', 'nonsense', CloseCode.BadMessage],
  [
    '[H6] a message with wrong fields',
    '{"type":"status","freeSlots":-1,"accepting":true}',
    CloseCode.BadMessage,
  ],
  ['[F7] a binary message that is no frame', new Uint8Array([9, 9, 9]), CloseCode.BadMessage],
  ['[F7] a frame over the limit', new Uint8Array(MAX_FRAME_BYTES + 1), CloseCode.TooLarge],
] as const)('%s closes the socket', async ([, data, code]) => {
  const { host } = await newScene()
  host.sendRaw(data)
  expect((await host.closed).code).toBe(code)
})

test('[H6] a message of an unknown type is ignored', async () => {
  const scene = await newScene()
  scene.host.sendRaw('{"type":"weather","sunny":true}')
  const answer = chat(scene)
  await scene.host.serve(['still here'])
  expect((await answer).status).toBe(200)
})

test('[H8] ping is answered without waking the object', async () => {
  const { host } = await newScene()
  await evictDurableObject(hostStub(env, host.keys.id))
  const { promise, resolve } = Promise.withResolvers<string>()
  host.onText(resolve)
  host.sendRaw('ping')
  expect(await promise).toBe('pong')
})
