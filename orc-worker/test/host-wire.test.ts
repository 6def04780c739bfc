import { env } from 'cloudflare:workers'
import { evictDurableObject } from 'cloudflare:test'
import { CloseCode, MAX_FRAME_BYTES, PROTOCOL_VERSION } from '@daisi/protocol'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { expect, test } from 'vitest'
import { hostStub } from '../src/objects/stubs.ts'
import { hashCredential } from '../src/domain/credential.ts'
import { balanced, total } from './support/books.ts'
import { call, newAccount, newEnrolment, newKey, settle } from './support/orc.ts'
import { chat, errorCode, events, newScene } from './support/scene.ts'
import { TestHost, enrol, newHost, newHostKeys, proofOf, upgrade } from './support/test-host.ts'

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

test('[H7] a Host that is too new or too old is closed with 4426', async () => {
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

test('[F3] a frame out of sequence closes with 4400', async () => {
  const scene = await newScene()
  const answer = chat(scene, { stream: true })
  const run = await scene.host.receive('run')
  scene.host.accept(run)
  scene.host.sendFrame(run.jobId, 1, 'x')
  expect((await scene.host.closed).code).toBe(CloseCode.BadMessage)
  expect((await events(await answer)).at(-1)).toMatchObject({ error: { code: 'host_lost' } })
})

test('[J3] a refusal moves the request to another Host', async () => {
  const scene = await newScene()
  const second = await newHost((await newEnrolment(scene.owner)).token, { model: scene.model, slots: 1 })
  const answer = chat(scene)
  // More free slots come first, so the first Host is asked before the second.
  const run = await scene.host.receive('run')
  scene.host.send({ type: 'refused', jobId: run.jobId, code: 'busy', message: 'full' })
  await second.serve(['from the second'])
  expect(await (await answer).json()).toMatchObject({
    choices: [{ message: { content: 'from the second' } }],
  })
})

test('when every Host is full the answer is 503 with Retry-After', async () => {
  const scene = await newScene()
  const answer = chat(scene)
  const run = await scene.host.receive('run')
  scene.host.send({ type: 'refused', jobId: run.jobId, code: 'busy', message: 'full' })
  const response = await answer
  expect([response.status, await errorCode(response)]).toEqual([503, 'all_hosts_busy'])
  expect(response.headers.get('retry-after')).toBe('2')
})

test('[J7] messages and frames of a forgotten Job are ignored, also those of another Host', async () => {
  const scene = await newScene()
  const other = await newHost((await newEnrolment(scene.owner)).token, { model: 'other' })
  const answer = chat(scene)
  const run = await scene.host.receive('run')
  // Another Host cannot speak for this Job: its object does not know it.
  other.accept(run)
  other.sendFrame(run.jobId, 0, 'forged')
  await other.end(run, { promptTokens: 10, cachedTokens: 0, generatedTokens: 1 })
  scene.host.sendFrame(`job_${'0'.repeat(32)}`, 0, 'stray')
  scene.host.accept(run)
  scene.host.sendFrame(run.jobId, 0, 'true')
  const usage = { promptTokens: 10, cachedTokens: 0, generatedTokens: 1 }
  await scene.host.end(run, usage)
  expect(await (await answer).json()).toMatchObject({ choices: [{ message: { content: 'true' } }] })
  await scene.host.end(run, usage)
  await settle(scene.key.key)
  expect(await total(scene.owner)).toBe(10_011)
  await balanced()
})

test('[F5] a slow reader is granted more only as it reads', async () => {
  const scene = await newScene()
  const answer = chat(scene, { stream: true })
  const run = await scene.host.receive('run')
  expect(run.windowBytes).toBe(256 * 1024)
  scene.host.accept(run)
  const text = 'x'.repeat(32 * 1024)
  for (let sequence = 0; sequence < 8; sequence++) scene.host.sendFrame(run.jobId, sequence, text)
  const response = await answer
  const reading = response.text()
  const credit = await scene.host.receive('credit')
  expect(credit).toMatchObject({ jobId: run.jobId })
  expect(credit.bytes).toBeGreaterThanOrEqual(128 * 1024)
  await scene.host.receive('credit')
  await scene.host.end(run, { promptTokens: 10, cachedTokens: 0, generatedTokens: 8 })
  expect((await reading).endsWith('data: [DONE]\n\n')).toBe(true)
})

test('[T1] the Session token names the Host, the Session and the budget, and never the Consumer', async () => {
  const scene = await newScene()
  const answer = chat(scene)
  const run = await scene.host.serve(['ok'])
  await answer
  expect(decodeProtectedHeader(run.sessionToken)).toMatchObject({ alg: 'Ed25519', typ: 'daisi-session+jwt' })
  const claims = decodeJwt(run.sessionToken)
  expect(claims).toMatchObject({
    aud: scene.host.keys.id,
    net: 'public',
    mode: 'orchestrated',
    budget: 82 + 20,
    jti: run.jobId,
  })
  const seen = JSON.stringify(run) + JSON.stringify(claims)
  const hash = await hashCredential(scene.key.key)
  for (const secret of [scene.consumer.id, scene.key.id, scene.key.key, hash, scene.owner.id])
    expect(seen).not.toContain(secret)
})

test('[Q1, Q2] commands wait for the Host, come in order after welcome, and go when acknowledged', async () => {
  const scene = await newScene()
  const order = (name: string) =>
    call('POST', `/api/hosts/${scene.host.keys.id}/commands`, { token: scene.owner.token, body: { name } })
  scene.host.close()
  await scene.host.closed
  for (const name of ['pause', 'resume', 'drain']) expect((await order(name)).status).toBe(202)
  await evictDurableObject(hostStub(env, scene.host.keys.id))
  const back = await TestHost.connect(scene.host.keys, { model: scene.model })
  const commands = [
    await back.receive('command'),
    await back.receive('command'),
    await back.receive('command'),
  ]
  expect(commands.map((command) => command.name)).toEqual(['pause', 'resume', 'drain'])
  back.send({ type: 'ack', commandId: commands[0]!.commandId, outcome: 'done' })
  back.send({ type: 'ack', commandId: commands[1]!.commandId, outcome: 'unsupported' })
  const again = await TestHost.connect(scene.host.keys, { model: scene.model })
  expect((await again.receive('command')).commandId).toBe(commands[2]!.commandId)
})

test('a stream survives the sleep of its object between two frames, and is paid in full', async () => {
  const scene = await newScene()
  const answer = chat(scene, { stream: true })
  const run = await scene.host.receive('run')
  scene.host.accept(run)
  const sleep = () => evictDurableObject(hostStub(env, scene.host.keys.id))
  // Each frame is read to the end before the next sleep: an object that sleeps already cannot be put to sleep.
  const reader = (await answer).body!.getReader()
  const readUntil = async (text: string) => {
    while (!new TextDecoder().decode((await reader.read()).value).includes(text)) continue
  }
  await sleep()
  scene.host.sendFrame(run.jobId, 0, 'one')
  await readUntil('one')
  await sleep()
  scene.host.sendFrame(run.jobId, 1, 'two')
  await readUntil('two')
  await sleep()
  await scene.host.end(run, { promptTokens: 10, cachedTokens: 0, generatedTokens: 2 })
  await readUntil('[DONE]')
  await settle(scene.key.key)
  expect(await total(scene.owner)).toBe(10_012)
  await balanced()
})

test('GET /v1/models lists each model once, with the Hosts that serve it', async () => {
  const scene = await newScene()
  await newHost((await newEnrolment(scene.owner)).token, { model: scene.model })
  const { key } = await newKey(await newAccount('reader'))
  const list = await call('GET', '/v1/models', { token: key }).then((response) =>
    response.json<{ data: { id: string }[] }>(),
  )
  const model = { id: scene.model, object: 'model', owned_by: 'daisi', context_length: 2048, hosts_online: 2 }
  expect(list.data.filter(({ id }) => id === scene.model)).toMatchObject([model])
  expect(await (await call('GET', `/v1/models/${scene.model}`, { token: key })).json()).toMatchObject(model)
  expect((await call('GET', '/v1/models/none', { token: key })).status).toBe(404)
})
